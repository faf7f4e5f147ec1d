// One circuit as the replicas of a fleet have it together: who holds it open, whether all leave its Upstream alone, and whose turn
// it is to try. Pure; times are milliseconds since the epoch.
// The danger it guards against: one replica with a broken network that keeps all others from an Upstream that is well.

export interface FleetCircuit {
  /** By replica: until when its own window holds it open. */
  readonly votes: Readonly<Record<string, number>>
  /** The last one of the fleet. */
  readonly turn?: FleetTurn
  /** Who may try, alone. */
  readonly trial?: FleetTrial
}

export interface FleetTurn {
  readonly to: 'open' | 'closed'
  /** The replica that brought it about. */
  readonly by: string
  readonly atMs: number
  /** Open: from when on somebody may try. */
  readonly untilMs: number
  /** A sentence for operators. */
  readonly reason: string
}

export interface FleetTrial {
  readonly by: string
  readonly untilMs: number
}

/** What is known of the fleet at a moment. */
export interface Fleet {
  /** The replicas that are known to be alive. */
  readonly living: ReadonlySet<string>
  /** How many there are, or should be. */
  readonly size: number
  readonly nowMs: number
}

export interface Opening {
  readonly by: string
  readonly untilMs: number
  /** Whether a trial has failed; else a window has opened it. */
  readonly isTrial: boolean
}

export const nobodys: FleetCircuit = { votes: {} }

/** So long after the time to try it is not the fleet's any more if nobody has tried: then each goes alone. */
const forgottenMs = 600_000
/** So long who comes late can hear that it has closed. */
const toldMs = 60_000

/** Of two both: neither is more to be believed than the other. */
export function majorityOf(replicas: number): number {
  return Math.floor(replicas / 2) + 1
}

export function votesFor({ votes }: FleetCircuit, { living, nowMs }: Fleet): number {
  return Object.entries(votes).filter(([by, untilMs]) => untilMs > nowMs && living.has(by)).length
}

/** Whether the fleet leaves its Upstream alone, or waits for the one that may try. */
export function isHeld({ turn }: FleetCircuit, nowMs: number): boolean {
  return turn?.to === 'open' && nowMs < turn.untilMs + forgottenMs
}

/** That replica has opened it, by its own window or by its trial. */
export function afterOpening(circuit: FleetCircuit, opening: Opening, fleet: Fleet): FleetCircuit {
  const { by, untilMs, isTrial } = opening
  const { nowMs } = fleet
  const voted = { ...circuit, votes: { ...lasting(circuit.votes, nowMs), [by]: untilMs } }
  if (!isTrial || !isHeld(circuit, nowMs)) return settled(voted, by, fleet)
  const { votes } = voted
  return { votes, turn: { to: 'open', by, atMs: nowMs, untilMs, reason: `the trial of ${by} failed` } }
}

/** Opens it if a majority of the fleet holds it open. @param by a replica that does */
export function settled(circuit: FleetCircuit, by: string, fleet: Fleet): FleetCircuit {
  const { votes, turn } = circuit
  const { nowMs, size } = fleet
  const untilMs = votes[by] ?? 0
  const count = votesFor(circuit, fleet)
  if (untilMs <= nowMs || count < majorityOf(size)) return circuit
  if (turn?.to === 'open' && turn.untilMs > nowMs) return circuit
  const reason = `${count} of ${size} replicas hold it open`
  return { votes, turn: { to: 'open', by, atMs: nowMs, untilMs, reason } }
}

/** That replica has closed it: its trial was answered well. */
export function afterClosing(circuit: FleetCircuit, by: string, nowMs: number): FleetCircuit {
  const { [by]: _own, ...others } = lasting(circuit.votes, nowMs)
  if (!isHeld(circuit, nowMs)) return { ...circuit, votes: others }
  const reason = `the trial of ${by} was answered well`
  return { votes: {}, turn: { to: 'closed', by, atMs: nowMs, untilMs: nowMs, reason } }
}

/** Undefined: it is not its turn. */
export function withTrial(circuit: FleetCircuit, trial: FleetTrial, nowMs: number): FleetCircuit | undefined {
  const { turn, trial: other } = circuit
  if (!isHeld(circuit, nowMs) || !turn || turn.untilMs > nowMs) return undefined
  if (other && other.by !== trial.by && other.untilMs > nowMs) return undefined
  return { ...circuit, trial }
}

/** Whether there is nothing left of it that anybody should know. */
export function isOver(circuit: FleetCircuit, nowMs: number): boolean {
  const { votes, turn } = circuit
  if (Object.keys(lasting(votes, nowMs)).length > 0 || isHeld(circuit, nowMs)) return false
  return turn === undefined || turn.to === 'open' || turn.atMs + toldMs < nowMs
}

/** What is read may have been written by another version: nobody's, then. */
export function readCircuit(value: unknown): FleetCircuit {
  const { votes, turn, trial } = (value ?? {}) as Partial<FleetCircuit>
  const isSound =
    typeof votes === 'object' && votes !== null && Object.values(votes).every((untilMs) => typeof untilMs === 'number')
  if (!isSound) return nobodys
  const isTurn = typeof turn?.untilMs === 'number' && typeof turn.atMs === 'number' && typeof turn.by === 'string'
  const isTrial = typeof trial?.untilMs === 'number' && typeof trial.by === 'string'
  return { votes, ...(turn && isTurn && { turn }), ...(trial && isTrial && { trial }) }
}

function lasting(votes: FleetCircuit['votes'], nowMs: number): FleetCircuit['votes'] {
  return Object.fromEntries(Object.entries(votes).filter(([, untilMs]) => untilMs > nowMs))
}
