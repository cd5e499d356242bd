// Goes back to the page that was asked for as soon as the server answers again, whether it was that or the network.

const LOOK_MS = 4000;

async function look() {
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.reload();
}

addEventListener("online", look);
setInterval(look, LOOK_MS);
document.getElementById("again").addEventListener("click", () => location.reload());
