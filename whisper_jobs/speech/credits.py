"""What Whisper models say over silence because subtitles that they learned from said it there. Called by the guards."""

from __future__ import annotations

import re
import unicodedata

#: How the credits of subtitles begin. Nobody says them aloud, so a short text that begins so is suspicious anywhere.
_CREDITS = (
    r".*\bamara\.? ?org",
    r"(subtitles|captions|captioning) (made |created |provided |edited )?by\b",
    r"untertitel(ung)? (im auftrag|der|von|des|aufgrund)\b",
    r"sous titr(es|age|eur)",
    r"subtitulos (realizados|por|creados)\b",
    r"subtitulado por\b",
    r"legendas? (pela|por)\b",
    r"sottotitoli (creati|e revisione|a cura)\b",
    r"ondertitel(s|d|ing) (ingediend|door)\b",
    r"undertekst(er|ning)? (av|af)\b",
    r"(svensk )?undertext(er|ning)?( av| fran)?\b.*(\bab\b|\bsvt\b|\bstina hedin\b|\.se\b|media\b)",
    r"(tekstet|teksting) av\b|tekster av\b",
    r"napisy (stworzone|wykonane)\b",
    r"субтитры (сделал|создавал|делал|подогнал|подготовил)",
    r"редактор субтитров|.*dimatorzok",
    r"altyazi\b|ceviri ve altyazi\b",
    r".*(字幕(志愿者|由|制作|製作|by|提供|作成)|中文字幕|打赏支持明镜|优优独播剧场)",
    r"(자막 (제공|제작)|한글자막)",
    r"phu đe (đuoc thuc hien|boi)",
    r"copyright (wdr|swr|zdf|orf)\b",
)
#: Thanks and farewells of videos. People do say them, so they are suspicious only where nobody speaks.
_FAREWELLS = (
    r"(thanks|thank you)( so much| very much)?( for (watching|listening|viewing)| everyone)?",
    r"(please )?(like and )?subscribe( to (my|our|the) channel)?",
    r"(see you|i ll see you) (in the )?next (time|video)",
    r"(bye|bye bye|you|okay|the end|to be continued)",
    r"(vielen )?dank( (furs|fur das) (zuschauen|ansehen|zuhoren))?|danke furs zuschauen",
    r"merci( d avoir regarde( cette video| la video)?)?|abonnez vous( a la chaine)?",
    r"(muchas )?gracias( por ver( el video)?)?|suscribete( al canal)?",
    r"obrigado( por assistir)?|inscreva se no canal",
    r"grazie( per (la visione|aver guardato( il video)?))?|iscriviti al canale",
    r"bedankt voor het kijken|tack (for att ni|for att du) (tittade|har tittat|lyssnade)|takk for at du så på|tak fordi du så med",
    r"продолжение следует|спасибо за (просмотр|внимание)|до новых встреч",
    r"izlediginiz icin tesekkur(ler| ederim)?|abone olmayi unutmayin",
    r"dziekuje za (uwage|ogladanie)",
    r"(ご視聴|見てくれて)ありがとう(ございました|ございます)?|おやすみなさい|チャンネル登録.*",
    r"谢谢(观看|大家|收看)|感谢(观看|收看)|謝謝(觀看|大家|收看)",
    r"(시청해 ?주셔서|봐주셔서) 감사합니다|구독과 좋아요.*|다음 (영상|시간)에.*",
)
#: A text longer than this is about subtitles rather than made of their credits.
LONGEST_CREDIT = 90


def _folded(text: str) -> str:
    """Small letters without accents, words one space apart; other scripts stay as they are."""
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold()).replace("ı", "i") if not _is_latin_accent(c)
    )
    return " ".join(re.sub(r"[^\w.]+|_+", " ", unicodedata.normalize("NFC", plain)).replace(". ", " ").split()).strip(
        "."
    )


def _is_latin_accent(character: str) -> bool:
    return "\u0300" <= character <= "\u036f"


def _either(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_folded_pattern(each)})" for each in patterns))


def _folded_pattern(pattern: str) -> str:
    """The patterns' own letters, folded as the text is, and nothing else of them."""
    plain = (c for c in unicodedata.normalize("NFKD", pattern) if not _is_latin_accent(c))
    return unicodedata.normalize("NFC", "".join(plain))


_CREDIT, _FAREWELL = _either(_CREDITS), _either(_FAREWELLS)


def is_credit(text: str) -> bool:
    """A line such as “Subtitles by the Amara.org community”, in one of many languages."""
    return len(text) <= LONGEST_CREDIT and _CREDIT.match(_folded(text)) is not None


def is_farewell(text: str) -> bool:
    """Nothing but “Thanks for watching!” and its like."""
    return _FAREWELL.fullmatch(_folded(text)) is not None
