// What `banyan status` says of watched targets, and of upstreams that are given as much as they take.
// The danger it guards against: a target that is left alone, and an operator who must guess why.
import type { Status } from '../ops/status.ts'
import type { TargetView } from '../state/targets/watch.ts'
import { table } from './table.ts'

export function watchLines({ upstreams }: Status): string[] {
  const watched = upstreams.flatMap(({ name, watch }) =>
    (watch?.targets ?? []).map((view) => [name, view.target, checksOf(view), ejectionOf(view)]),
  )
  const limited = upstreams.flatMap(({ name, watch }) => {
    if (!watch?.concurrency) return []
    const { most, calmMs } = watch.concurrency
    return [[name, String(most), calmMs === undefined ? 'not measured yet' : `${calmMs.toFixed(1)} ms`]]
  })
  return [
    ...(watched.length > 0 ? ['', table([['UPSTREAM', 'TARGET', 'CHECKS', 'LEFT ALONE'], ...watched])] : []),
    ...(limited.length > 0 ? ['', table([['UPSTREAM', 'REQUESTS AT A TIME', 'CALM ANSWER'], ...limited])] : []),
  ]
}

function checksOf({ checks }: TargetView): string {
  if (!checks) return '-'
  const { isWell, good, failed } = checks
  return `${isWell ? 'well' : 'not well'} (${good} good, ${failed} failed)`
}

function ejectionOf({ ejections, backInMs }: TargetView): string {
  if (ejections === undefined) return '-'
  const times = ejections === 0 ? 'never' : `${ejections} ${ejections === 1 ? 'time' : 'times'}`
  return backInMs === undefined ? times : `now, for ${Math.ceil(backInMs / 1_000)} s more (${times})`
}
