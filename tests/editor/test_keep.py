"""Nothing that was changed is lost: no network, no session, a page that is closed, a server that answers twice."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.editor.desk import Desk, Store, said
from tests.editor.desk import store as store
from tests.pages.browsing import Open
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit
from tests.serve.servers import ADMIN

pytestmark = pytest.mark.browser
CORRECTIONS = "**/corrections"
#: Whether the browser has written down a change with this text.
KEPT = """(text) => new Promise((resolve) => {
  indexedDB.open("tools-whisper-editor").onsuccess = ({ target: { result: database } }) => {
    database.transaction("changes").objectStore("changes").getAll().onsuccess = ({ target: { result: changes } }) => {
      database.close();
      resolve(JSON.stringify(changes).includes(JSON.stringify(text)));
    };
  };
})"""


def test_offline_in_the_middle_of_typing_everything_waits_and_goes_on_by_itself(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One two three.", "Four.", "Five.")))
    context: BrowserContext = desk.page.context
    desk.caret("One two")
    desk.page.keyboard.type(" Mor")
    context.set_offline(True)
    desk.page.keyboard.type("e")
    desk.caret("One two", "two")
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.type("And ")
    desk.caret("And two", "three")
    desk.page.keyboard.press("Enter")
    desk.caret("Four.", "Four")
    desk.page.keyboard.press("Backspace")
    desk.caret("Five.")
    desk.page.keyboard.press("Control+Delete")
    shown = ["One", "And two", "three. More Four."]
    desk.shows(*shown)
    expect(desk.page.locator("#saved")).to_contain_text("are kept on this device")
    context.set_offline(False)
    desk.saved()
    desk.shows(*shown)
    assert desk.texts() == shown


def test_a_page_that_is_closed_with_unsent_changes_sends_them_when_it_is_opened_again(
    visit: Open, store: Store
) -> None:
    desk = Desk.opened(visit, store(said("One two.", "Three.")))
    context = desk.page.context
    context.route(CORRECTIONS, lambda route: route.abort())
    desk.caret("One two.", "two")
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.type("Not ")
    expect(desk.page.locator("#saved")).to_contain_text("are kept on this device")
    desk.page.wait_for_function(KEPT, arg="Not two.")
    desk.page.close()
    context.unroute(CORRECTIONS)
    again = Desk(context.new_page(), desk.job)
    again.page.goto(f"/whisper/jobs/{desk.job}/correct")
    again.wait()
    again.shows("One", "Not two.", "Three.")
    again.saved()
    assert again.texts() == ["One", "Not two.", "Three."]


def test_a_change_whose_answer_was_lost_is_made_once(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One two.")))
    lost: list[int] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    desk.page.route(CORRECTIONS, lose)
    desk.caret("One two.", "two")
    desk.page.keyboard.press("Enter")
    desk.saved()
    assert lost == [201]
    desk.shows("One", "two.")
    assert desk.texts() == ["One", "two."]
    assert len(desk.log()) == 1


def test_after_the_session_has_ended_changes_wait_until_one_has_signed_in_again(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.")))
    context = desk.page.context
    context.clear_cookies()
    desk.caret("One.")
    desk.page.keyboard.type(" More")
    expect(desk.page.locator("#saved")).to_contain_text("You are signed out.")
    with context.expect_page() as opened:
        desk.page.get_by_role("link", name="Sign in").click()
    other = opened.value
    other.wait_for_url("**/login**")
    other.locator("#id_login").fill(ADMIN[0])
    other.locator("#id_password").fill(ADMIN[1])
    other.keyboard.press("Enter")
    expect(other.locator("#segments")).to_be_visible()
    other.close()
    desk.saved()
    desk.shows("One. More")
    assert desk.texts() == ["One. More"]


def test_two_tabs_of_one_person_send_each_change_once(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.", "Two.")))
    other = Desk(desk.page.context.new_page(), desk.job)
    other.page.goto(f"/whisper/jobs/{desk.job}/correct")
    other.wait()
    desk.caret("One.")
    desk.page.keyboard.type(" A")
    other.caret("Two.")
    other.page.keyboard.type(" B")
    desk.saved()
    other.saved()
    desk.shows("One. A", "Two. B")
    other.shows("One. A", "Two. B")
    assert len(desk.log()) == 2


def test_a_recording_that_is_deleted_meanwhile_is_told(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.")))
    desk.page.evaluate(DELETE, f"/api/whisper/jobs/{desk.job}")
    expect(desk.page.locator("#saved")).to_contain_text("This recording no longer exists.")


DELETE = """(path) => fetch(path, {
  method: "DELETE",
  headers: { "X-CSRFToken": document.querySelector('input[name="csrfmiddlewaretoken"]').value },
})"""
