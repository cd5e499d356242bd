"""whisper-asr-webservice's two routes: /asr and /detect-language."""
