// The order of standings, and what a stage means for who answers.
// The danger it guards against: a comparison of stages as text, in which "canary" is less than "legacy".
import type { Stage, Standing } from '../model.ts'

export const wholeShare = 10_000

const order: readonly Stage[] = ['legacy', 'shadow', 'canary', 'live', 'final']

/** How far a stage is, from 0. */
export function rankOf(stage: Stage): number {
  return order.indexOf(stage)
}

/** Negative when `a` is less far than `b`. */
export function compareStandings(a: Standing, b: Standing): number {
  return rankOf(a.stage) - rankOf(b.stage) || a.shareBasisPoints - b.shareBasisPoints
}

export function isSameStanding(a: Standing, b: Standing): boolean {
  return compareStandings(a, b) === 0
}

/** @param shareBasisPoints of a canary; the other stages have their own */
export function standingAt(stage: Stage, { shareBasisPoints = 0, holdbackBasisPoints = 0 } = {}): Standing {
  const share = {
    legacy: 0,
    shadow: 0,
    canary: shareBasisPoints,
    live: wholeShare - holdbackBasisPoints,
    final: wholeShare,
  }
  return { stage, shareBasisPoints: share[stage] }
}

/** As the file writes it: `10%`, `0.25%`. */
export function percentOf(shareBasisPoints: number): string {
  return `${shareBasisPoints / 100}%`
}

/** `canary 10%`; the stages without a choice by their name alone. */
export function describeStanding({ stage, shareBasisPoints }: Standing): string {
  const isWhole = stage !== 'canary' && (stage !== 'live' || shareBasisPoints === wholeShare)
  return isWhole ? stage : `${stage} ${percentOf(shareBasisPoints)}`
}
