"""The parameters of a request's path, query and headers: all of them are checked at once, before the body is read.

FastAPI ignores what it does not know, takes the last of several values, and shows what it refuses.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, cast

from fastapi import Request, params
from fastapi.datastructures import QueryParams
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params, request_params_to_args
from pydantic import Field, TypeAdapter

from api.http.schema_messages import Place, whole
from domain.edge_errors import UnknownParameter
from domain.errors import InvalidInput, NotFound, Problem

# A name may be shown to the caller who sent it when it is one of ours, or one that lists often have. Any other could be
# a secret that slipped into the address.
_words = {"fields", "filter", "order", "order_by", "page", "page_size", "q", "search", "sort"}


class Parameters:
    """The parameters of one route."""

    def __init__(self, dependant: Dependant) -> None:
        self._fields: dict[str, list[Any]] = {"path": [], "query": [], "header": []}
        self._places: dict[str, Place] = {}
        for field in get_flat_params(dependant):
            self._fields[cast(params.Param, field.field_info).in_.value].append(field)
            self._places[field.alias] = _place(field.alias, field.field_info)
        self._known = [field.alias for field in self._fields["query"]]
        _words.update(self._known)

    def check(self, request: Request) -> None:
        """Raises UnknownParameter, InvalidInput with every problem; NotFound for a path that names what there cannot
        be."""
        for place, _ in self._refused("path", request.path_params):
            message = f"There is no such {place.name} here; it must be {place.allowed}."
            raise NotFound(message, pointer=place.pointer)
        unknown = list(self._unknown(request.query_params))
        refused = (*self._refused("query", request.query_params), *self._refused("header", request.headers))
        problems = [*unknown, *self._repeated(request.query_params), *(_fault(place, kind) for place, kind in refused)]
        if problems:
            raise (UnknownParameter if unknown else InvalidInput)(problems=problems)

    def _refused(self, where: str, sent: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
        """What FastAPI would refuse, and pydantic's word for why."""
        for error in request_params_to_args(self._fields[where], sent)[1]:
            yield self._places[error["loc"][1]], error["type"]

    def _unknown(self, query: QueryParams) -> Iterator[Problem]:
        names = ", ".join(self._known)
        takes = f"the parameters of this route are: {names}." if names else "this route has no parameters."
        unknown = [name for name in query if name not in self._known]
        for name in sorted(name for name in unknown if name in _words):
            yield Problem("unknown_parameter", f"{name} is unknown here; {takes}", pointer=f"/{name}")
        if strange := sum(1 for name in unknown if name not in _words):
            words = "1 parameter is" if strange == 1 else f"{strange} parameters are"
            yield Problem("unknown_parameter", f"{words} unknown here; {takes}", pointer="")

    def _repeated(self, query: QueryParams) -> Iterator[Problem]:
        for name in self._known:
            if len(query.getlist(name)) > 1 and self._places[name].schema.get("type") != "array":
                message = f"{name} is there more than once; send it once."
                yield Problem("repeated_parameter", message, pointer=f"/{name}")


async def check_parameters(request: Request) -> None:
    """The dependency of every route."""
    cast(Parameters, request.scope["route"].parameters).check(request)


def _place(name: str, info: Any) -> Place:
    declared: Any = Annotated[(info.annotation, Field(), *info.metadata)]
    place = whole(TypeAdapter(declared).json_schema())
    said = {"description": info.description or "", **(info.json_schema_extra or {})}
    return Place(f"/{name}", name, {**place.schema, **said}, place.definitions)


def _fault(place: Place, kind: str) -> Problem:
    if kind == "missing":
        return Problem("missing", f"{place.name} is missing; it must be {place.allowed}.", pointer=place.pointer)
    message = f"{place.name} is not acceptable; it must be {place.allowed}. {place.description}".rstrip()
    return Problem("invalid", message, pointer=place.pointer)
