// The API's description as a page to read. It fetches nothing from elsewhere.

const place = document.getElementById("redoc");

// ReDoc's one picture is its maker's logo, from their server, which the page's policy refuses and complains about.
document.createElement = (name, options) => Document.prototype.createElement.call(document, name === "img" ? "span" : name, options);

Redoc.init(
  place.dataset.schema,
  { disableSearch: true, hideDownloadButton: false, nativeScrollbars: true, theme: { typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } } },
  place,
);
