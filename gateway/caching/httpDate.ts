// Dates of HTTP (RFC 9110 §5.6.7), in its three forms and no other.
// The danger it guards against: `Expires: 0`, `-1` or a local time, which Date.parse takes for a day.
const days = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const longDays = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day'
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const month = `(?<month>${months.join('|')})`
const time = '(?<time>[0-2][0-9]:[0-5][0-9]:[0-6][0-9])'

const forms = [
  new RegExp(`^${days}, (?<day>[0-9]{2}) ${month} (?<year>[0-9]{4}) ${time} GMT$`),
  new RegExp(`^${longDays}, (?<day>[0-9]{2})-${month}-(?<year>[0-9]{2}) ${time} GMT$`),
  new RegExp(`^${days} ${month} (?<day>[0-9 ][0-9]) ${time} (?<year>[0-9]{4})$`),
]

/** @param nowMs milliseconds since the epoch: of two digits of a year the century is guessed by it. @returns likewise, or undefined */
export function httpDateMs(text: string, nowMs: number): number | undefined {
  for (const form of forms) {
    const { day, month, year, time } = form.exec(text)?.groups ?? {}
    if (day === undefined || month === undefined || year === undefined || time === undefined) continue
    const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number)
    const at = (fullYear: number) => Date.UTC(fullYear, months.indexOf(month), Number(day), hours, minutes, seconds)
    return isReal(Number(day), hours) ? atYear(year, at, nowMs) : undefined
  }
  return undefined
}

function isReal(day: number, hours: number): boolean {
  return day >= 1 && day <= 31 && hours <= 23
}

/** More than 50 years ahead is meant to be in the past. */
function atYear(year: string, at: (fullYear: number) => number, nowMs: number): number {
  if (year.length === 4) return at(Number(year))
  const now = new Date(nowMs).getUTCFullYear()
  const near = now - (now % 100) + Number(year)
  return at(near > now + 50 ? near - 100 : near)
}
