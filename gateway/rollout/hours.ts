// The hours in which a rollout may go on by itself: `Mon-Thu 09:00-16:00`, several separated by `;`, a time zone at the end.
// The danger it guards against: an hour that the change of clocks skips or repeats, and a zone that is not the operators'.

export interface Hours {
  isOpen(wallMs: number): boolean
  /** The next minute that is open: `wallMs` itself when it is. */
  opensAt(wallMs: number): number
}

/** Of a week of local time, in minutes since Monday 00:00; the end is not in it, and may lie in the next week. */
interface Range {
  readonly from: number
  readonly to: number
}

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const dayMinutes = 24 * 60
const weekMinutes = 7 * dayMinutes
const minuteMs = 60_000

const form = 'write it like "Mon-Thu 09:00-16:00", or "Mon,Wed 09:00-12:00; Fri 10:00-11:00 Europe/Zurich"'

/** @returns the hours, or what is wrong with the text. Without a zone at its end it means the process's own. */
export function parseHours(text: string): Hours | { readonly problem: string } {
  const [, list = '', zone] = /^(.*?)(?:\s+([A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*))?\s*$/.exec(text) ?? []
  const ranges: Range[] = []
  for (const part of list.split(';')) {
    const parsed = parsePart(part.trim())
    if ('problem' in parsed) return parsed
    ranges.push(...parsed.ranges)
  }
  const clock = localClock(zone)
  if (!clock) return { problem: `"${zone}" is no time zone; ${form}` }
  return hoursOf(ranges, clock)
}

function parsePart(part: string): { ranges: Range[] } | { problem: string } {
  const match = /^([a-z,\s-]+?)\s+(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)$/i.exec(part)
  if (!match) return { problem: `"${part}" names no days and hours; ${form}` }
  const [, names = '', ...numbers] = match
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = numbers.map(Number)
  const from = fromHour * 60 + fromMinute
  const to = toHour * 60 + toMinute
  if (fromMinute > 59 || toMinute > 59 || from >= dayMinutes || to > dayMinutes) {
    return { problem: `"${part}" has a time that no clock shows; hours go from 00:00 to 24:00` }
  }
  if (from === to) return { problem: `"${part}" begins when it ends; for a whole day write 00:00-24:00` }
  const named = parseDays(names)
  if ('problem' in named) return named
  // Past midnight it belongs to the day on which it begins.
  const length = to > from ? to - from : to + dayMinutes - from
  const starts = named.days.map((day) => day * dayMinutes + from)
  return { ranges: starts.map((start) => ({ from: start, to: start + length })) }
}

/** `Mon-Thu`, `Sat-Mon`, `Mon,Wed-Fri`. */
function parseDays(names: string): { days: number[] } | { problem: string } {
  const found: number[] = []
  for (const span of names.toLowerCase().split(',')) {
    const [first, last] = span.split('-').map((name) => days.indexOf(name.trim()))
    if (first === undefined || first < 0 || (last ?? 0) < 0 || span.split('-').length > 2) {
      return { problem: `"${span.trim()}" names no days; they are Mon, Tue, Wed, Thu, Fri, Sat and Sun` }
    }
    const count = ((last ?? first) - first + 7) % 7
    for (let more = 0; more <= count; more++) found.push((first + more) % 7)
  }
  return { days: found }
}

/** Wall time as minutes of the local week. */
type LocalClock = (wallMs: number) => number

function localClock(timeZone: string | undefined): LocalClock | undefined {
  const options = { weekday: 'short', hour: 'numeric', minute: 'numeric', hourCycle: 'h23' } as const
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', timeZone === undefined ? options : { ...options, timeZone })
  } catch {
    return undefined
  }
  return (wallMs) => {
    const parts = Object.fromEntries(format.formatToParts(wallMs).map(({ type, value }) => [type, value]))
    return (
      days.indexOf((parts.weekday ?? '').toLowerCase()) * dayMinutes + Number(parts.hour) * 60 + Number(parts.minute)
    )
  }
}

function hoursOf(ranges: readonly Range[], clock: LocalClock): Hours {
  const isIn = (minute: number) =>
    ranges.some(({ from, to }) => (minute - from + weekMinutes) % weekMinutes < to - from)
  const untilStart = (minute: number) =>
    Math.min(...ranges.map(({ from }) => (from - minute + weekMinutes) % weekMinutes))
  return {
    isOpen: (wallMs) => isIn(clock(wallMs)),
    opensAt(wallMs) {
      if (isIn(clock(wallMs))) return wallMs
      let atMs = Math.floor(wallMs / minuteMs) * minuteMs + minuteMs
      for (let minute = clock(atMs); !isIn(minute); minute = clock(atMs)) {
        // Clocks are changed by two hours at most: the rest of the way is gone minute by minute.
        atMs += Math.max(1, untilStart(minute) - 120) * minuteMs
      }
      return atMs
    },
  }
}
