"""Zarr's way to object storage, whose errors are those of every other way there."""

from collections.abc import AsyncGenerator, Iterable
from typing import Any, Self

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import ObjectStore

from finemo_dist.storage.objects import ObjectPath, errors_of, zarr_store


class ZarrObjects(ObjectStore[Any]):
    """The objects below a prefix.

    Zarr raises what obstore does, which nobody could tell from a damaged chunk.
    """

    place: ObjectPath

    @classmethod
    def of(cls, place: ObjectPath) -> Self:
        """Return the store of a prefix."""
        made = cls(zarr_store(place))
        made.place = place
        return made

    def with_read_only(self, read_only: bool = False) -> Self:  # noqa: FBT001, FBT002  (Zarr's)
        """Return the same for reading alone, or for writing too."""
        made = super().with_read_only(read_only)
        made.place = self.place
        return made

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return an object or a part of it; None where there is none."""
        with errors_of(self.place / key):
            return await super().get(key, prototype, byte_range)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of objects."""
        with errors_of(self.place):
            return await super().get_partial_values(prototype, key_ranges)

    async def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        with errors_of(self.place / key):
            return await super().exists(key)

    async def set(self, key: str, value: Buffer) -> None:
        """Put an object."""
        with errors_of(self.place / key):
            await super().set(key, value)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Put an object where there is none."""
        with errors_of(self.place / key):
            await super().set_if_not_exists(key, value)

    async def delete(self, key: str) -> None:
        """Remove an object."""
        with errors_of(self.place / key):
            await super().delete(key)

    async def _list(self, prefix: str | None = None) -> AsyncGenerator[Any, None]:
        with errors_of(self.place):
            async for found in super()._list(prefix):
                yield found

    async def list_dir(self, prefix: str) -> AsyncGenerator[str, None]:
        """Yield what lies directly below a prefix."""
        with errors_of(self.place):
            async for found in super().list_dir(prefix):
                yield found
