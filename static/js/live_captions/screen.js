// The captions alone on the screen, for a projector: the browser's full screen, or where there is none all of the page.

export function fillScreen(stage, button) {
  const fills = () => stage.classList.contains("fills");

  function show(on) {
    stage.classList.toggle("fills", on);
    button.setAttribute("aria-pressed", String(on));
  }

  button.addEventListener("click", () => {
    const on = !fills();
    show(on);
    if (on) stage.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
  });
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement) show(false);
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && fills() && !document.fullscreenElement) show(false);
  });
}
