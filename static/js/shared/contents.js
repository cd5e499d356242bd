// The list of chapters tells which one is being read.

export function followContents(article, nav) {
  if (!nav) return;
  const links = [...nav.querySelectorAll("a")];
  const heads = [...article.querySelectorAll(".chapter")];
  let isAsked = false;

  function tell() {
    isAsked = false;
    const passed = heads.filter((head) => head.getBoundingClientRect().top < innerHeight * 0.4).length;
    links.forEach((link, place) => {
      if (place === passed - 1) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  }

  addEventListener("scroll", () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(tell);
  }, { passive: true });
  tell();
}
