// The API's description as a page to read. It fetches nothing from elsewhere.

const place = document.getElementById("redoc");

Redoc.init(
  place.dataset.schema,
  { disableSearch: true, hideDownloadButton: false, nativeScrollbars: true, theme: { typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } } },
  place,
);
