"""What the runs on a data set share."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from red_core.run.bundle import Bundle
from red_core.run.photographs import with_photographs
from red_core.sbsc import BlockDictionary
from red_core.theory.dictionary_parts import DictionaryParts


@dataclass(frozen=True)
class LoadedModels:
    """What runs share: the trained models, frozen, and what is computed of them once."""

    bundle: Bundle
    dictionary: DictionaryParts = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """One for all runs of these models."""
        object.__setattr__(self, "dictionary", DictionaryParts(self.bundle.dictionary))

    @cached_property
    def photographs(self) -> LoadedModels:
        """The same models with the bundled photographs for their examples; or AssetError."""
        made = copy(self)
        object.__setattr__(made, "bundle", with_photographs(self.bundle))
        return made

    @property
    def basis(self) -> Tensor:
        """A basis [k, rank] of D_a's row space; computed when it is first needed."""
        return self.dictionary.basis

    @property
    def blocks(self) -> BlockDictionary:
        """D_a's blocks in their principal axes; computed when they are first needed."""
        return self.dictionary.blocks

    @property
    def rank(self) -> int | None:
        """The rank of D_a, once the basis is known."""
        return self.dictionary.rank
