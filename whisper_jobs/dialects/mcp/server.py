"""The MCP server: its name, what it says of itself, and its tools under their published names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

from whisper_jobs.dialects.mcp import tools

INSTRUCTIONS = (
    "Recordings and their transcripts on this server, as far as the token's owner may see them. Hand one in with "
    "scaiecho.transcribe, find words with scaiecho.search, read with scaiecho.get, and quote with scaiecho.quote, which "
    "gives speaker and timestamps. A draft is not to be quoted without saying so."
)
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
_ENDS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
_TOOLS: tuple[tuple[Callable[..., Any], str, ToolAnnotations], ...] = (
    (tools.transcribe, "Transcribe a recording", _ADDS),
    (tools.search, "Search recordings", _READS),
    (tools.get, "Read a transcript", _READS),
    (tools.quote, "Quote a recording", _READS),
    (tools.status, "Status of a recording", _READS),
    (tools.cancel, "Cancel a transcription", _ENDS),
)


def make() -> MCPServer[Any]:
    made: MCPServer[Any] = MCPServer(
        "tools-whisper", title="Tools Whisper", instructions=INSTRUCTIONS, log_level="WARNING", subscriptions=False
    )
    for function, title, hints in _TOOLS:
        made.add_tool(function, name=f"scaiecho.{function.__name__}", title=title, annotations=hints)
    return made
