// Numbers, sizes and times as the reader's language writes them.

import { text } from "./texts.js";

const locale = document.documentElement.lang || undefined;
const number = (options) => new Intl.NumberFormat(locale, options);
const percentFormat = number({ style: "percent", maximumFractionDigits: 0 });
const megabytes = number({ maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });
const hourMinute = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const dayMonth = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const utcDay = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
const dayMonthYear = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const clockSeconds = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });

const languages = new Intl.DisplayNames(locale, { type: "language" });

/** "sv" → "Swedish", in the reader's language. */
export const languageName = (code) => languages.of(code);

const unit = (name) => number({ style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: 0 });
const UNITS = { second: unit("second"), minute: unit("minute"), hour: unit("hour") };

/** 0–100 → "42 %". 100 is shown only when it is reached. */
export const percent = (value) => percentFormat.format(value >= 100 ? 1 : Math.min(Math.floor(value), 99) / 100);

export function bytes(count) {
  if (count < 1e6) return `${number({ maximumFractionDigits: 0 }).format(Math.ceil(count / 1e3))} kB`;
  if (count < 1e9) return `${megabytes.format(count / 1e6)} MB`;
  return `${number({ maximumFractionDigits: 2 }).format(count / 1e9)} GB`;
}

export const speed = (bytesPerSecond) => `${megabytes.format(bytesPerSecond / 1e6)} MB/s`;

/** A length of time in at most two units: "45 sec", "3 min", "1 hr 20 min". */
export function span(seconds) {
  if (seconds < 60) return UNITS.second.format(Math.max(1, Math.round(seconds)));
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return UNITS.minute.format(minutes);
  const rest = minutes % 60;
  const hours = UNITS.hour.format(Math.floor(minutes / 60));
  return rest ? `${hours} ${UNITS.minute.format(rest)}` : hours;
}

export const timeLeft = (seconds) => text("time_left", { time: span(seconds) });

/** A place in a recording: "0:07", "12:34", "1:02:03". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${String(m).padStart(h ? 2 : 1, "0")}:${String(s).padStart(2, "0")}`;
  return h ? `${h}:${tail}` : tail;
}

/** "now", "5 minutes ago", "14:02", "3 Mar", "3 Mar 2024". */
export function when(date, now = new Date()) {
  const seconds = (date - now) / 1000;
  if (seconds > -45) return relative.format(0, "second");
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), "minute");
  if (date.toDateString() === now.toDateString()) return hourMinute.format(date);
  return (date.getFullYear() === now.getFullYear() ? dayMonth : dayMonthYear).format(date);
}

const SHAPES = { when, day: (date) => utcDay.format(date), full: (date) => full.format(date), seconds: (date) => clockSeconds.format(date) };

/** Fills <time data-shape="when|full|seconds"> elements in the reader's own language and time zone. */
export function localiseTimes(root = document) {
  for (const element of root.querySelectorAll("time[datetime]")) setTime(element, element.dateTime);
}

export function setTime(element, iso) {
  const date = new Date(iso);
  if (!iso || Number.isNaN(date.valueOf())) return;
  element.dateTime = iso;
  const shown = SHAPES[element.dataset.shape ?? "when"](date);
  if (element.textContent !== shown) element.textContent = shown;
  element.title = full.format(date);
}
