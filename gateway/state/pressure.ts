// How far the gateway is behind: how late its event loop runs a timer, and what was refused for it.
// The danger it guards against: one long pause, a collection of garbage or a large file read, that is taken for overload.
import type { Clock, Pressure, Priority } from '../model.ts'

export interface PressureView {
  readonly lagMs: number
  /** Requests that were refused. */
  readonly shed: Readonly<Record<Priority, number>>
}

export interface PressureGauge extends Pressure {
  view(): PressureView
}

export interface PressureParts {
  readonly clock: Pick<Clock, 'now'>
  /** Runs it once, not before that time has passed; keeps no process alive. */
  readonly schedule: (run: () => void, afterMs: number) => void
}

const lookEveryMs = 50
/** It is behind when it was behind so often in a row. */
const looks = 3

export function createPressure({ clock, schedule }: PressureParts): PressureGauge {
  const late: number[] = Array(looks).fill(0)
  const shed: Record<Priority, number> = { yielding: 0, unsafe: 0, safe: 0 }
  /** What is refused from which lag on, until it is less than half of that: else some are refused and some are not, from look to look. */
  const behind = new Map<Priority, number>()
  let lagMs = 0

  function catchUp(): void {
    for (const [priority, atMs] of behind) if (lagMs < atMs / 2) behind.delete(priority)
  }

  function look(): void {
    const dueAt = clock.now() + lookEveryMs
    schedule(() => {
      late.shift()
      late.push(Math.max(0, clock.now() - dueAt))
      lagMs = Math.min(...late)
      catchUp()
      look()
    }, lookEveryMs)
  }

  look()
  return {
    lagMs: () => lagMs,
    isBehind(priority, atMs) {
      if (lagMs >= atMs) behind.set(priority, atMs)
      return behind.get(priority) === atMs
    },
    refused(priority) {
      shed[priority] += 1
    },
    view: () => ({ lagMs: Math.round(lagMs), shed: { ...shed } }),
  }
}
