"""What every part of the site file is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$", description="a-z, 0-9 and -, at most 40 characters")]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Antenna = Annotated[int, Field(ge=1, le=65535, description="LLRP numbers antennas from 1")]
Share = Annotated[float, Field(ge=0, le=1)]
EpcText = Annotated[str, Field(pattern=r"^([0-9a-f]{2}){1,62}$", description="EPC in lower-case hexadecimal")]


class Part(BaseModel):
    """Unknown keys are mistakes, and what was read never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Title(Part):
    """A name for people, in both languages."""

    en: str = Field(min_length=1, max_length=100)
    zh: str = Field(min_length=1, max_length=100)
