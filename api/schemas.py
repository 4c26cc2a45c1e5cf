"""Shapes that several resources share: errors, steps, ids and names."""

from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.config import JsonDict, JsonValue
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from domain import names
from domain.errors import Problem
from domain.onboarding.catalogue import Permission
from domain.onboarding.validation import Step, StepStatus

BODY = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)
"""Of every request body: unknown fields are refused, and nothing is converted."""


class RequestBody(BaseModel):
    """A body, or an object in one. null in place of a field that may be left out is as good as leaving it out."""

    model_config = BODY

    @classmethod
    def example(cls) -> JsonValue:
        """The body that the OpenAPI document shows."""
        return cls.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index]

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, sent: object) -> object:
        if not isinstance(sent, dict):
            return sent
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {name: value for name, value in sent.items() if value is not None or name not in optional}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        for name, field in schema.get("properties", {}).items():
            if name not in schema.get("required", ()):
                schema["properties"][name] = _or_null(field)
        return schema


def example(body: JsonDict) -> ConfigDict:
    """The `model_config` of a body that the OpenAPI document shows like this."""
    return ConfigDict(json_schema_extra={"examples": [body]})


_SAID = ("title", "description", "default", "examples", "writeOnly")
"""What a schema says about a field, rather than about its values."""


def _or_null(field: JsonSchemaValue) -> JsonSchemaValue:
    if {"type": "null"} in field.get("anyOf", ()):
        return field
    value = {name: part for name, part in field.items() if name not in _SAID}
    # Generators of clients cannot make an object of a schema's default.
    said = {name: part for name, part in field.items() if name in _SAID and not isinstance(part, dict)}
    return {"anyOf": [value, {"type": "null"}], **said}


def _whole(number: object) -> object:
    """JSON knows one kind of number, so 3600.0 is a whole one."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


MAX_UNTIDIED_CHARACTERS = 4_000
"""Four times the longest text there is. Composing letters takes the square of a text's length: 256 KB are 40 seconds,
in which nobody else is served."""


def _visible(text: str) -> str:
    """Return the text tidied. Raise for a character that nobody sees: it could make two names look alike."""
    if len(text) > MAX_UNTIDIED_CHARACTERS:
        raise PydanticCustomError("string_too_long", "too long")
    if names.has_hidden(text):
        raise PydanticCustomError("bad_characters", "invisible characters")
    return names.tidied(text)


Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Whole = Annotated[int, BeforeValidator(_whole)]
Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_visible)]
Name = Annotated[Line, StringConstraints(min_length=1, max_length=names.MAX_CHARACTERS)]


Unreadable = Annotated[
    int,
    Field(
        description="How many records of this page are stored in a form that cannot be read, and are left out. "
        "Anything but 0 is for the operators."
    ),
]


class ProblemAnswer(BaseModel):
    """One thing to put right."""

    pointer: str | None = Field(None, description="JSON pointer to the field; empty for the body as a whole.")
    step: str | None = Field(None, description="The validation step that found it.")
    code: str = Field(description="Stable; decide on this.")
    message: str
    remedy: str | None = Field(None, description="What to do about it.")
    missing_permissions: list[str] | None = None

    @classmethod
    def of(cls, problem: Problem) -> Self:
        return cls(
            pointer=problem.pointer,
            step=problem.step,
            code=problem.code,
            message=problem.message,
            remedy=problem.remedy,
            missing_permissions=list(problem.missing_permissions) or None,
        )


class ErrorDetail(BaseModel):
    code: str = Field(description="Stable; decide on this.")
    message: str
    errors: list[str] = Field(description="One sentence per problem; never empty.")
    problems: list[ProblemAnswer]


class ErrorAnswer(BaseModel):
    """Every error has this shape. It never repeats what was sent."""

    detail: ErrorDetail


class StepAnswer(BaseModel):
    """One thing that was proved, or not."""

    name: str
    status: StepStatus
    code: str
    message: str
    remedy: str | None
    missing_permissions: list[str]

    @classmethod
    def of(cls, step: Step) -> Self:
        return cls(
            name=step.name,
            status=step.status,
            code=step.code,
            message=step.message,
            remedy=step.remedy,
            missing_permissions=list(step.missing_permissions),
        )


class PermissionAnswer(BaseModel):
    """One permission that scanning uses."""

    name: str
    required: bool = Field(description="Without a required one the account is refused, without another one limited.")
    purpose: str

    @classmethod
    def of(cls, permission: Permission) -> Self:
        return cls(name=permission.name, required=permission.required, purpose=permission.purpose)
