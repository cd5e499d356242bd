// The keys of headphones, keyboards and lock screens: what plays, and where it is.

const STEP_SECONDS = 5;

export function offerToSystem(title, player) {
  const session = navigator.mediaSession;
  if (!session || !globalThis.MediaMetadata) return;
  const actions = {
    play: () => player.play(),
    pause: () => player.pause(),
    seekbackward: ({ seekOffset }) => player.seek(player.time - (seekOffset || STEP_SECONDS)),
    seekforward: ({ seekOffset }) => player.seek(player.time + (seekOffset || STEP_SECONDS)),
    seekto: ({ seekTime }) => player.seek(seekTime),
  };
  player.media.addEventListener("play", () => {
    session.metadata = new MediaMetadata({ title });
    for (const [name, run] of Object.entries(actions)) {
      try {
        session.setActionHandler(name, run);
      } catch {
        // A browser that does not know this one.
      }
    }
  });
  player.addEventListener("state", () => tell(session, player));
  player.addEventListener("rate", () => tell(session, player));
}

function tell(session, player) {
  session.playbackState = player.playing ? "playing" : "paused";
  const { duration, time: position, rate: playbackRate } = player;
  if (duration > 0 && position <= duration) session.setPositionState({ duration, position, playbackRate });
}
