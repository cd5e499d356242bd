"""The routes of whisper-asr-webservice: what is taken, how it is answered and refused."""
