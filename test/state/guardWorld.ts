// A guard over one move, with a clock that only the test moves on, and outcomes as attempts would report them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Outcome, RolloutDeclaration, Route } from '../../gateway/model.ts'
import { createBaselines } from '../../gateway/state/baselines.ts'
import { createGuards } from '../../gateway/state/guards.ts'
import { createRollouts } from '../../gateway/state/rollouts.ts'
import { routeOf } from '../ops/world.ts'

export function outcomeOf(upstream: string, parts: Partial<Outcome> = {}): Outcome {
  return {
    exchangeId: 'x',
    route: 'search',
    upstream,
    role: 'primary',
    status: 200,
    firstByteMs: 10,
    totalMs: 12,
    end: 'complete',
    ...parts,
  }
}

export async function guardWorld(rollout: RolloutDeclaration) {
  const stateDir = await mkdtemp(join(tmpdir(), 'banyan-guard-'))
  // A Monday, nine in the morning.
  const startMs = new Date(2026, 10, 23, 9).getTime()
  let nowMs = 1_000_000
  const clock = { now: () => nowMs, wall: () => startMs + nowMs - 1_000_000 }
  const troubles: unknown[] = []
  const rollouts = createRollouts(clock.wall, (thrown) => troubles.push(thrown))
  await rollouts.open(stateDir)
  const baselines = createBaselines((thrown) => troubles.push(thrown))
  await baselines.open(stateDir)
  onTestFinished(async () => {
    await Promise.all([rollouts.written(), baselines.written()])
    await rm(stateDir, { recursive: true, force: true })
  })
  const alarms: string[] = []
  const guards = createGuards({ clock, rollouts, baselines, alarm: (_rollout, { reason }) => alarms.push(reason) })
  const declare = (declared: RolloutDeclaration) => {
    rollouts.declare({ rollouts: new Map([[declared.key, declared]]) })
    const route = routeOf('search', declared.declared.stage)
    const moved: Route = { ...route, ...(route.move && { move: { ...route.move, rollout: declared } }) }
    guards.follow({ routes: [moved] })
  }
  declare(rollout)
  /** Seconds of traffic at both sides, judged after each. */
  function run(
    seconds: number,
    perSecond: { old?: number; new?: number },
    made: (upstream: string, i: number) => Partial<Outcome> = () => ({}),
  ) {
    for (let second = 0; second < seconds; second++) {
      for (const [upstream, count = 0] of [
        ['monolith', perSecond.old],
        ['search', perSecond.new],
      ] as const) {
        for (let i = 0; i < count; i++) guards.observe(outcomeOf(upstream, made(upstream, second * count + i)))
      }
      nowMs += 1_000
      guards.tick()
    }
  }
  return {
    guards,
    rollouts,
    baselines,
    alarms,
    troubles,
    declare,
    run,
    effective: () => rollouts.state(rollout.key).effective,
  }
}
