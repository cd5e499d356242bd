"""What may be opened: containers of real recordings and the sound formats found in them. Everything else is refused.

Names are ffmpeg's. Streaming manifests, playlists, pictures, subtitles and scripts are left out on purpose.
"""

from __future__ import annotations

_CONTAINERS = """
wav w64 mp3 flac ogg mov,mp4,m4a,3gp,3g2,mj2 matroska,webm avi asf aac adts loas amr amrnb amrwb aiff caf au mpegts
mpeg flv ac3 eac3 dts ape wv tta tak voc mpc mpc8 rm nistsphere sln gsm dss oma qcp wtv mxf nut shn dsf iff wve
"""
CONTAINERS = ",".join(_CONTAINERS.split())

_SOUND_FORMATS = """
aac aac_fixed aac_latm ac3 ac3_fixed eac3 alac als amrnb amrwb libopencore_amrnb libopencore_amrwb ape atrac1 atrac3
atrac3al atrac3plus atrac3plusal comfortnoise cook dca dsd_lsbf dsd_lsbf_planar dsd_msbf dsd_msbf_planar dss_sp
dvaudio evrc flac g722 g723_1 g726 g726le g728 g729 gsm gsm_ms iac ilbc imc libopus mace3 mace6 metasound mlp mp1
mp1float mp2 mp2float mp3 mp3adu mp3adufloat mp3float mp3on4 mp3on4float mpc7 mpc8 nellymoser on2avc opus qcelp qdm2
qdmc ralf real_144 real_288 sbc shorten sipr speex tak truehd truespeech tta twinvq vorbis wavpack wmalossless wmapro
wmav1 wmav2 wmavoice 8svx_exp 8svx_fib pcm_alaw pcm_bluray pcm_dvd pcm_f16le pcm_f24le pcm_f32be pcm_f32le pcm_f64be
pcm_f64le pcm_mulaw pcm_s16be pcm_s16be_planar pcm_s16le pcm_s16le_planar pcm_s24be pcm_s24daud pcm_s24le
pcm_s24le_planar pcm_s32be pcm_s32le pcm_s32le_planar pcm_s64be pcm_s64le pcm_s8 pcm_s8_planar pcm_u16be pcm_u16le
pcm_u24be pcm_u24le pcm_u32be pcm_u32le pcm_u8 pcm_vidc s302m adpcm_adx adpcm_ct adpcm_ima_dk3 adpcm_ima_dk4
adpcm_ima_oki adpcm_ima_qt adpcm_ima_rad adpcm_ima_wav adpcm_ima_ws adpcm_ms adpcm_sbpro_2 adpcm_sbpro_3 adpcm_sbpro_4
adpcm_swf adpcm_yamaha
"""
SOUND_FORMATS = frozenset(_SOUND_FORMATS.split())

#: Containers whose header states the length exactly, so that a shorter recording is known to be cut off.
STATE_THEIR_LENGTH = frozenset(
    ("mov", "matroska", "flac", "wav", "w64", "asf", "avi", "caf", "aiff", "au", "wv", "ape", "tta")
)

_SOUND_MIMES = {
    "wav": "audio/wav",
    "w64": "audio/x-w64",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mov": "audio/mp4",
    "matroska": "audio/webm",
    "asf": "audio/x-ms-wma",
    "aac": "audio/aac",
    "amr": "audio/amr",
    "amrnb": "audio/amr",
    "amrwb": "audio/amr-wb",
    "aiff": "audio/aiff",
    "caf": "audio/x-caf",
    "au": "audio/basic",
    "wv": "audio/x-wavpack",
    "ape": "audio/x-ape",
    "tta": "audio/x-tta",
    "ac3": "audio/ac3",
    "eac3": "audio/eac3",
}
_PICTURE_MIMES = {
    "mov": "video/mp4",
    "matroska": "video/x-matroska",
    "avi": "video/x-msvideo",
    "asf": "video/x-ms-wmv",
    "flv": "video/x-flv",
    "mpegts": "video/mp2t",
    "mpeg": "video/mpeg",
    "ogg": "video/ogg",
}


def mime_of(container: str, *, has_video: bool) -> str:
    """The MIME type of a file in ffmpeg's `container`."""
    table = _PICTURE_MIMES if has_video else _SOUND_MIMES
    return table.get(container) or _SOUND_MIMES.get(container) or _PICTURE_MIMES.get(container, "audio/" + container)
