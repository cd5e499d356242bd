"""The rows. They hold data and constraints; whoever changes a status goes through lifecycle."""

from whisper_jobs.models.job import Channel, Job, SourceType
from whisper_jobs.models.log import LogLine
from whisper_jobs.models.results import Segment, Transcript
from whisper_jobs.models.step import Step
from whisper_jobs.models.tally import Tally
from whisper_jobs.models.worker import Worker

__all__ = ["Channel", "Job", "LogLine", "Segment", "SourceType", "Step", "Tally", "Transcript", "Worker"]
