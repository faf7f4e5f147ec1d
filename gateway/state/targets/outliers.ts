// Which targets of each Upstream are left alone because they fail, by what its requests have shown. It outlives every reading.
// The danger it guards against: the last target that is left, ejected for the fault of what stands behind all of them.
import {
  afterWord,
  eject,
  isEjected,
  isOutlier,
  mostEjected,
  type Standing,
  unknown,
} from '../../balancing/outliers.ts'
import type { Clock, OutlierSettings, Snapshot, Target, TargetTurn, TargetWord, Upstream } from '../../model.ts'
import { Kept } from './kept.ts'
import type { TargetHealth } from './port.ts'

export interface OutlierBook extends TargetHealth {
  /** What a request for that Upstream has shown of the target that it went to. */
  heard(upstream: Pick<Upstream, 'name' | 'target'>, word: TargetWord): void
  viewOf(upstream: Upstream, target: Target): OutlierView
  follow(snapshot: Pick<Snapshot, 'upstreams'>): void
}

export interface OutlierView {
  /** Until requests go to it again; absent: they do now. */
  readonly backInMs?: number
  /** How often it was left alone since it is known. */
  readonly ejections: number
}

export interface OutlierParts {
  readonly clock: Pick<Clock, 'now'>
  /** What else keeps requests from targets. */
  readonly others: Pick<TargetHealth, 'isUp'>
  turned(turn: TargetTurn): void
}

interface Watched {
  standing: Standing
  ejections: number
}

type Judged = Upstream & { readonly outliers: OutlierSettings }

export function createOutliers(parts: OutlierParts): OutlierBook {
  return new Book(parts)
}

class Book implements OutlierBook {
  readonly #parts: OutlierParts
  readonly #watched = new Kept<Watched, Judged>()
  #upstreams: ReadonlyMap<string, Judged> = new Map()

  constructor(parts: OutlierParts) {
    this.#parts = parts
  }

  heard({ name, target }: Pick<Upstream, 'name' | 'target'>, word: TargetWord): void {
    // As it is declared now: a request may be of an earlier file.
    const upstream = this.#upstreams.get(name)
    const watched = this.#watched.find(target, { name })
    if (!upstream || !watched) return
    const now = this.#parts.clock.now()
    watched.standing = afterWord(watched.standing, word, now)
    const isDue = word === 'failed' && isOutlier(watched.standing, upstream.outliers)
    if (isDue && this.#maySpare(target, upstream)) this.#eject(watched, target, upstream)
  }

  isUp(target: Target, upstream: Pick<Upstream, 'name'>): boolean {
    const watched = this.#watched.find(target, upstream)
    return !watched || !isEjected(watched.standing, this.#parts.clock.now())
  }

  upSince(target: Target, upstream: Pick<Upstream, 'name'>): number | undefined {
    const { ejectedUntil } = this.#watched.find(target, upstream)?.standing ?? unknown
    return ejectedUntil === 0 || ejectedUntil > this.#parts.clock.now() ? undefined : ejectedUntil
  }

  viewOf(upstream: Upstream, target: Target): OutlierView {
    const watched = this.#watched.find(target, upstream)
    const leftMs = (watched?.standing.ejectedUntil ?? 0) - this.#parts.clock.now()
    return { ejections: watched?.ejections ?? 0, ...(watched && leftMs > 0 && { backInMs: leftMs }) }
  }

  follow({ upstreams }: Pick<Snapshot, 'upstreams'>): void {
    const judged = [...upstreams.values()].filter(isJudged)
    this.#upstreams = new Map(judged.map((upstream) => [upstream.name, upstream]))
    this.#watched.keepOnly(judged, () => ({ standing: unknown, ejections: 0 }))
    for (const upstream of judged) this.#takeBack(upstream)
  }

  /** With fewer targets, fewer may be left alone. */
  #takeBack(upstream: Judged): void {
    const { targets, outliers } = upstream
    const ejected = targets.filter((target) => !this.isUp(target, upstream))
    for (const target of ejected.slice(mostEjected(targets.length, outliers))) {
      const watched = this.#watched.find(target, upstream)
      if (watched) watched.standing = unknown
    }
  }

  #maySpare(target: Target, upstream: Judged): boolean {
    const { targets, outliers } = upstream
    const others = targets.filter(({ origin }) => origin !== target.origin)
    const ejected = others.filter((other) => !this.isUp(other, upstream))
    const isLeft = others.some((other) => this.isUp(other, upstream) && this.#parts.others.isUp(other, upstream))
    return isLeft && ejected.length < mostEjected(targets.length, outliers)
  }

  #eject(watched: Watched, { origin }: Target, { name, outliers }: Judged): void {
    const now = this.#parts.clock.now()
    const { failures } = watched.standing
    watched.standing = eject(watched.standing, outliers, now)
    watched.ejections += 1
    const seconds = Math.ceil((watched.standing.ejectedUntil - now) / 1_000)
    const reason = `${failures} requests in a row failed; it is left alone for ${seconds} s`
    this.#parts.turned({ upstream: name, target: origin, to: 'ejected', reason })
  }
}

function isJudged(upstream: Upstream): upstream is Judged {
  return upstream.outliers !== undefined
}
