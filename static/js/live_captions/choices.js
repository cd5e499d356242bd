// What somebody has chosen stays chosen in this browser: the language, telling speakers apart, the size of the text.

import { keep, kept } from "../kept.js";

const NAME = "live-captions";

export function keepChoices(form, stage) {
  const { language = "", diarize = false, size = "medium" } = kept(NAME, {});
  const sizes = [...stage.querySelectorAll('input[name="size"]')];
  if ([...form.elements.language.options].some(({ value }) => value === language)) form.elements.language.value = language;
  form.elements.diarize.checked = diarize;
  for (const one of sizes) one.checked = one.value === size;
  if (!sizes.some(({ checked }) => checked)) sizes[1].checked = true;

  const chosen = () => sizes.find(({ checked }) => checked).value;
  const remember = () => keep(NAME, { language: form.elements.language.value, diarize: form.elements.diarize.checked, size: chosen() });
  stage.dataset.size = chosen();
  form.addEventListener("change", remember);
  stage.addEventListener("change", () => {
    stage.dataset.size = chosen();
    remember();
  });
}
