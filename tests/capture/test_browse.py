"""Several recordings from the page: chosen, dropped or put in as links; and the site as an app."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.pages.browsing import PATIENCE_MS, Open, browser, row, screens, server, signed_in, tone, visit

__all__ = ["browser", "server", "signed_in", "visit"]
pytestmark = pytest.mark.browser
JOBS = "**/api/whisper/jobs"


def choose(page: Page, *names: str, seconds: float = 0.2) -> None:
    files = [{"name": name, "mimeType": "audio/wav", "buffer": tone(seconds)} for name in names]
    page.get_by_label("Choose a file").set_input_files(files)  # type: ignore[arg-type]


def transcribe(page: Page) -> None:
    page.get_by_role("button", name="Transcribe", exact=True).click()


def line(page: Page, name: str) -> Any:
    return page.locator(".batch-row", has_text=name)


@screens
def test_several_files_become_a_job_each_with_the_same_options(visit: Open, screen: dict[str, Any]) -> None:
    page = visit("/whisper", **screen)
    first, second, third = (f"{name}{len(screen)}.wav" for name in ("one", "two", "three"))
    choose(page, first, second, third)
    expect(page.locator("#batch")).to_contain_text("3 recordings are chosen.")
    page.get_by_role("button", name=f"Remove: {second}").click()
    expect(page.get_by_role("button", name=f"Remove: {third}")).to_be_focused()
    page.get_by_label("Spoken language").select_option("sv")
    transcribe(page)
    expect(page.locator("#batch")).to_contain_text("2 of 2 are in the queue.", timeout=PATIENCE_MS)
    for name in (first, third):
        expect(line(page, name)).to_contain_text("In the queue")
        expect(row(page, name)).to_have_count(1)
    jobs = page.request.get("/api/whisper/jobs").json()["jobs"]
    assert {job["language"] for job in jobs if job["source_filename"] in (first, third)} == {"sv"}
    assert not any(job["source_filename"] == second for job in jobs)
    page.get_by_role("button", name="Clear the list").click()
    expect(page.get_by_label("Link to audio")).to_be_visible()


def test_no_more_than_two_are_on_their_way_at_a_time(visit: Open) -> None:
    page = visit("/whisper")
    held: list[Route] = []
    passing: list[bool] = []

    def hold(route: Route) -> None:
        if passing or route.request.method != "POST":
            route.continue_()
        else:
            held.append(route)

    page.route(JOBS, hold)
    choose(page, *(f"many-{number}.wav" for number in range(5)))
    transcribe(page)
    expect(page.locator('.batch-row[data-state="sending"]')).to_have_count(2)
    expect(page.locator('.batch-row[data-state="waiting"]')).to_have_count(3)
    assert len(held) == 2
    passing.append(True)
    for route in held:
        route.continue_()
    expect(page.locator("#batch")).to_contain_text("5 of 5 are in the queue.", timeout=PATIENCE_MS)


def test_an_answer_that_is_lost_makes_no_second_job_when_it_is_tried_again(visit: Open) -> None:
    page = visit("/whisper")
    lost: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method != "POST" or lost:
            route.continue_()
            return
        lost.append("once")
        route.fetch()
        route.abort()

    page.route(JOBS, lose)
    choose(page, "kept-a.wav", "kept-b.wav")
    transcribe(page)
    expect(page.locator('.batch-row[data-state="failed"]')).to_have_count(1)
    expect(page.locator('.batch-row[data-state="failed"]')).to_contain_text("could not be reached")
    page.get_by_role("button", name=re.compile("^Try again: kept-")).click()
    expect(page.locator("#batch")).to_contain_text("2 of 2 are in the queue.")
    for name in ("kept-a.wav", "kept-b.wav"):
        expect(row(page, name)).to_have_count(1)


def test_links_put_in_together_are_told_one_by_one(visit: Open) -> None:
    page = visit("/whisper")
    good = [f"https://sound.invalid/{name}.mp3" for name in "ab"]
    page.get_by_label("Link to audio").fill("\n".join([*good, "http://10.0.0.1/inside.mp3", good[0]]))
    transcribe(page)
    expect(page.locator("#batch")).to_contain_text("2 of 3 are in the queue.")
    for link in good:
        expect(line(page, link)).to_contain_text("In the queue")
        expect(row(page, link)).to_have_count(1)
    expect(line(page, "10.0.0.1")).to_contain_text("not on the public internet")
    expect(line(page, "10.0.0.1").get_by_role("button", name="Try again")).to_be_visible()


def test_at_a_limit_the_rest_waits_in_the_list(visit: Open) -> None:
    page = visit("/whisper")
    full = '{"ok": false, "message": "5 recordings wait in the queue.", "code": "too_many_jobs", "errors": {}}'
    taken: list[str] = []

    def limit(route: Route) -> None:
        if route.request.method == "POST" and len(taken) >= 2:
            route.fulfill(status=429, body=full, content_type="application/json")
        else:
            taken.append(route.request.method)
            route.continue_()

    page.route(JOBS, limit)
    choose(page, *(f"limit-{number}.wav" for number in range(6)))
    transcribe(page)
    expect(page.locator('.batch-row[data-state="failed"]')).to_have_count(4)
    expect(page.locator("#batch")).to_contain_text("5 recordings wait in the queue.")
    expect(page.locator("#batch")).to_contain_text("2 of 6 are in the queue.")
    page.unroute(JOBS)
    page.get_by_role("button", name="Try all again").click()
    expect(page.locator("#batch")).to_contain_text("6 of 6 are in the queue.", timeout=PATIENCE_MS)


def test_files_dropped_one_after_the_other_come_together(visit: Open) -> None:
    page = visit("/whisper")
    for name in ("first.wav", "second.wav"):
        carried = page.evaluate_handle(
            f"() => {{ const held = new DataTransfer(); held.items.add(new File(['x'], '{name}')); return held; }}"
        )
        page.dispatch_event("footer", "drop", {"dataTransfer": carried})
    expect(page.locator(".batch-row")).to_have_count(2)


def test_without_scripts_several_files_go_in_one_form(visit: Open) -> None:
    page = visit("/whisper", java_script_enabled=False)
    files = [{"name": f"plain-{n}.wav", "mimeType": "audio/wav", "buffer": tone(0.2)} for n in (1, 2)]
    page.locator("#id_media_file").set_input_files(files)  # type: ignore[arg-type]
    transcribe(page)
    expect(page.get_by_text("2 recordings are in the queue.")).to_be_visible()


def test_the_site_can_be_installed(visit: Open) -> None:
    page = visit("/whisper")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    session = page.context.new_cdp_session(page)
    told = session.send("Page.getAppManifest")
    assert told["errors"] == []
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # Windows of tests are incognito ones, from which nothing can be installed.
    assert [one["errorId"] for one in errors if one["errorId"] != "in-incognito"] == []


def test_without_a_network_a_page_says_so_and_nothing_of_anybody_is_kept(visit: Open) -> None:
    page = visit("/whisper")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    page.context.set_offline(True)
    page.goto("/whisper/jobs/1", wait_until="domcontentloaded")
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    colour = page.locator("body").evaluate("(body) => getComputedStyle(body).display")
    assert colour == "grid", "the page without a network has no style"
    kept = page.evaluate(
        """async () => (await Promise.all((await caches.keys()).map(async (name) =>
            (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)))).flat()"""
    )
    assert [path for path in kept if not path.startswith(("/offline", "/static/"))] == []
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="No connection")).to_be_hidden(timeout=PATIENCE_MS)


SHARE = """(names) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: "/whisper/share-target", enctype: "multipart/form-data" });
  const input = document.createElement("input");
  Object.assign(input, { type: "file", name: "media_file", multiple: true });
  const held = new DataTransfer();
  for (const name of names) held.items.add(new File(["sound of " + name], name, { type: "audio/wav" }));
  input.files = held.files;
  form.append(input);
  document.body.append(form);
  form.submit();
}"""


def test_files_shared_by_another_app_wait_in_the_form_until_there_is_a_job(visit: Open) -> None:
    page = visit("/whisper")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    page.evaluate(SHARE, ["memo ä.wav"])
    expect(page.locator("#chosen")).to_contain_text("memo ä.wav")
    page.reload()
    expect(page.locator("#chosen")).to_contain_text("memo ä.wav")
    transcribe(page)
    expect(row(page, "memo ä.wav")).to_have_count(1, timeout=PATIENCE_MS)
    page.reload()
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator("#chosen")).to_be_hidden()


def test_the_worker_shows_a_notice_and_leads_to_its_recording(visit: Open, server: Any) -> None:
    page = visit("/whisper", permissions=["notifications"])
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    session = page.context.new_cdp_session(page)
    session.send("ServiceWorker.enable")
    found: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(one["registrationId"] for one in told["registrations"]),
    )
    session.send("ServiceWorker.disable"), session.send("ServiceWorker.enable")
    page.wait_for_timeout(300)
    told = '{"title": "The transcript is ready", "body": "Talk", "path": "/whisper/jobs/1", "tag": "job-1"}'
    origin = f"http://127.0.0.1:{server.port}"
    session.send("ServiceWorker.deliverPushMessage", {"origin": origin, "registrationId": found[0], "data": told})
    shown = page.evaluate(
        """async () => {
          const registration = await navigator.serviceWorker.ready;
          for (let n = 0; n < 100; n += 1) {
            const [notice] = await registration.getNotifications();
            if (notice) return [notice.title, notice.body, notice.data.path];
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
        }"""
    )
    assert shown == ["The transcript is ready", "Talk", "/whisper/jobs/1"]
