// The offer to undo is for this once, not for whoever reloads the page or keeps its address.

const address = new URL(location);
if (address.searchParams.has("undo")) {
  address.searchParams.delete("undo");
  history.replaceState(null, "", address);
}
