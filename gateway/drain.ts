// The end of a gateway that is still being asked: what is under way is answered, then the door closes.
// The danger it guards against: a connection that was accepted and is reset, or one that holds up the end for ever.
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises'
import type { Entrance } from './door/entrance.ts'

/** Once readiness has ended nobody new should come; until nobody has for so long, whoever comes is taken in. */
const quietMs = 500
/** But not for ever: some balancers never ask for readiness. */
const mostLameDuckMs = 10_000
/** How long a connection may be idle while draining. */
const closeIdleEveryMs = 250
/** Between a goodbye to what lasts (WebSockets) and the cut. */
const farewellMs = 2_000

/** Resolves once nobody is left, at the latest after `drainMs`; what is there then is still to be cut. */
export async function drainDoor(door: Entrance, drainMs: number): Promise<void> {
  const startedAt = performance.now()
  const mostMs = Math.min(drainMs / 3, mostLameDuckMs)
  do await delay(Math.min(quietMs, mostMs))
  while (door.quietMs() < quietMs && performance.now() - startedAt < mostMs)
  // Right after the loop has taken in what the system had queued for us: closing the queue resets what is in it.
  await immediate()
  door.stopListening()
  // Not at once: who has come last has not asked yet.
  const closing = setInterval(() => door.closeIdle(), closeIdleEveryMs)
  const leftMs = Math.max(0, startedAt + drainMs - performance.now())
  const deadline = new AbortController()
  const { signal } = deadline
  const cut = async () => {
    await delay(Math.max(leftMs / 2, leftMs - farewellMs), undefined, { signal })
    door.leaveTunnels()
    await delay(Math.min(leftMs / 2, farewellMs), undefined, { signal })
  }
  await Promise.race([door.emptied(), cut()]).finally(() => {
    deadline.abort()
    clearInterval(closing)
  })
}
