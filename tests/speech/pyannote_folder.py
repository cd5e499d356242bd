"""A pyannote.audio pipeline in a folder as community-1 has it, which the real library loads and runs without a hub.

Its segmentation hears voices, with weights that a package carries; which voices are the same it can only guess, with random ones.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import yaml

from whisper_jobs.speech.diarizers import bundled, pure_torchaudio

PARAMS = {
    "clustering": "VBxClustering",
    "segmentation": "$model/segmentation",
    "segmentation_batch_size": 8,
    "embedding": "$model/embedding",
    "embedding_batch_size": 8,
    "embedding_exclude_overlap": True,
    "plda": "$model/plda",
}


def write_pyannote(folder: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pure_torchaudio.ensure()
        _write_segmentation(folder / "segmentation")
        _write_embedding(folder / "embedding")
    _write_plda(folder / "plda")
    write_config(folder, PARAMS)
    return folder


def write_config(folder: Path, params: dict[str, object]) -> None:
    config = {
        "dependencies": {"pyannote.audio": "4.0.0"},
        "pipeline": {"name": "pyannote.audio.pipelines.SpeakerDiarization", "params": params},
        "params": {
            "clustering": {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8},
            "segmentation": {"min_duration_off": 0.0},
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def _write_segmentation(folder: Path) -> None:
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    model = PyanNet(sincnet={"stride": 10}, linear={"hidden_size": 128, "num_layers": 2}, lstm={"num_layers": 4})
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=10.0,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    model.setup()  # type: ignore[no-untyped-call]
    # The rest of the state are the filters' clocks, which the network makes itself.
    model.load_state_dict(bundled.segmentation_weights(), strict=False)
    _save(model, folder)


def _write_embedding(folder: Path) -> None:
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34

    torch.manual_seed(0)
    model = WeSpeakerResNet34()
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0, classes=list("0123")
    )
    model.setup()  # type: ignore[no-untyped-call]
    _save(model, folder)


def _save(model, folder: Path) -> None:  # type: ignore[no-untyped-def]
    import lightning
    import torch

    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "hparams_name": "kwargs",
        "pytorch-lightning_version": lightning.__version__,
        "epoch": 0,
        "global_step": 0,
    }
    model.on_save_checkpoint(checkpoint)
    folder.mkdir(parents=True)
    torch.save(checkpoint, folder / "pytorch_model.bin")


def _write_plda(folder: Path) -> None:
    random = np.random.default_rng(0)

    def orthogonal(rows: int, columns: int) -> np.ndarray:
        return np.linalg.qr(random.normal(size=(rows, columns)))[0]

    folder.mkdir(parents=True)
    np.savez(folder / "xvec_transform.npz", mean1=np.zeros(256), mean2=np.zeros(128), lda=orthogonal(256, 128))
    psi = np.sort(random.uniform(0.1, 5.0, 128))[::-1]
    np.savez(folder / "plda.npz", mu=np.zeros(128), tr=orthogonal(128, 128), psi=psi)
