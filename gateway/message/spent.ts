// The read buffers of streamed bodies, given back in time.
// The danger it guards against: memory that grows by the garbage of one large body. Node reads into 64 KiB buffers outside the
// JavaScript heap; V8 lets 64 MiB of them become garbage before it looks. A collection of the young ones after each 16 MiB costs
// half a millisecond, and keeps a gateway that streams gibibytes below 64 MiB above what it is when idle.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const everyBytes = 16 * 1024 * 1024

// The flag shows `gc` to contexts made from now on: this one gets it, nobody else does.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void
setFlagsFromString('--no-expose-gc')

let spentBytes = 0

/** That many bytes of a body have passed through. */
export function spend(bytes: number): void {
  spentBytes += bytes
  if (spentBytes < everyBytes) return
  spentBytes = 0
  collect({ type: 'minor' })
}
