"""Which of the customers' roles we assume: what the API accepts, what the set-up makes, and what IAM lets us do."""

import re
from dataclasses import dataclass

from providers.aws.partitions import PARTITION_PATTERN

ANY_ROLE_NAMES = "ThreatEngine*"
ROLE_NAMES_PATTERN = r"^(/[A-Za-z0-9_+=,.@-]+(/[A-Za-z0-9_+=,.@-]+){0,7}/)?[A-Za-z0-9_+=,.@-]{4,40}\*$"
"""A beginning of a name, which leaves room for the rest within AWS's 64 characters, and perhaps a path before it."""

_ROLE = rf"arn:{PARTITION_PATTERN}:iam::[0-9]{{12}}:role/"


@dataclass(frozen=True)
class RoleNames:
    """Roles whose name begins alike, `ThreatEngine*`: in any path, or in one path, `/security/ThreatEngine*`."""

    pattern: str = ANY_ROLE_NAMES

    @property
    def prefix(self) -> str:
        return self.pattern.rpartition("/")[2].removesuffix("*")

    @property
    def path(self) -> str | None:
        """None for any."""
        return self.pattern.rpartition("/")[0] + "/" if self.pattern.startswith("/") else None

    @property
    def arn_pattern(self) -> str:
        """A regular expression for the ARNs of these roles."""
        path = r"(?:[!-~]{0,510}/)?" if self.path is None else re.escape(self.path[1:])
        return rf"{_ROLE}{path}{re.escape(self.prefix)}[A-Za-z0-9_+=,.@-]{{0,{64 - len(self.prefix)}}}"

    @property
    def rule(self) -> str:
        where = "in any path" if self.path is None else f"in the path {self.path}"
        return f"The role's name begins with {self.prefix}, {where}: the platform may assume no other role."

    def resources(self, partition: str) -> list[str]:
        """The roles in the words of an IAM policy. Its `*` reaches over a `/`, so it allows a little more than is
        accepted: a role below a path that begins with the prefix."""
        paths = ("/", "/*/") if self.path is None else (self.path,)
        return [f"arn:{partition}:iam::*:role{path}{self.prefix}*" for path in paths]


ROLE_NAMES = RoleNames()
"""Where the setting says nothing else."""
