// The end of a gateway that is still being asked: what is under way is answered, then the door closes.
// The danger it guards against: a connection that was accepted and is reset, or one that holds up the end for ever.
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises'
import type { Door } from './door/door.ts'

/** Between the end of readiness and the end of listening: what was on its way to us still arrives. */
const lameDuckMs = 500
/** How long a connection may be idle while draining. */
const closeIdleEveryMs = 250
/** Between a goodbye to what lasts (WebSockets) and the cut. */
const farewellMs = 2_000

/** Resolves once nobody is left, at the latest after `drainMs`; what is there then is still to be cut. */
export async function drainDoor(door: Door, drainMs: number): Promise<void> {
  await delay(Math.min(lameDuckMs, drainMs))
  // Right after the loop has taken in what the system had queued for us: closing the queue resets what is in it.
  await immediate()
  door.stopListening()
  // Not at once: who has come last has not asked yet.
  const closing = setInterval(() => door.closeIdle(), closeIdleEveryMs)
  const leftMs = Math.max(0, drainMs - lameDuckMs)
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
