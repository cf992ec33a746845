"""The gateway's side of docs/delivery.md for one agent, in its simplest form, to judge the agent's side by."""

from contract.wire import Ack, Batch


class ModelGateway:
    """What a gateway holds of one agent, in memory."""

    def __init__(self) -> None:
        self.log: dict[str, dict[int, bytes]] = {}
        """Events by epoch and sequence number, in the order of commitment."""
        self.losses: list[tuple[str, int]] = []

    def through(self, epoch: str) -> int:
        return max(self.log.get(epoch, {}), default=0)

    def take(self, batch: Batch) -> Ack:
        events = [bytes(event) for event in batch.events]
        held = self.log.setdefault(batch.epoch, {})
        expected = self.through(batch.epoch) + 1
        known = zip(range(batch.first, expected), events, strict=False)
        if any(held.get(seq, event) != event for seq, event in known):
            return Ack(epoch=batch.epoch, through=expected - 1, renumber=True)
        if batch.first > expected and batch.first != batch.floor:
            return Ack(epoch=batch.epoch, through=expected - 1, resend=True)
        if batch.first > expected:
            self.losses.append((batch.epoch, batch.first))
        held.update((seq, event) for seq, event in enumerate(events, batch.first) if seq >= expected)
        last = batch.first + len(batch.events) - 1  # nothing beyond it was compared
        return Ack(epoch=batch.epoch, through=min(last, self.through(batch.epoch)))

    def greeting(self, epoch: str) -> Ack:
        return Ack(epoch=epoch, through=self.through(epoch), resend=True)

    @property
    def events(self) -> list[bytes]:
        return [event for held in self.log.values() for event in held.values()]
