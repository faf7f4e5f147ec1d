// HTML pages: a template that escapes, a frame around each page, and gzip for the big ones.
// The danger it guards against: a customer's name that is taken for markup.
import type { OutgoingHttpHeaders } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Visit } from '../services/kit/visit.ts'

const compress = promisify(gzip)
/** Below this, gzip costs more than it saves. */
const bigPageBytes = 1024

export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | Html | readonly Html[]

/** A template whose values are escaped, unless they are Html. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(texts.map((text, index) => text + shown(parts[index] ?? '')).join(''))
}

function shown(part: Part): string {
  if (part instanceof Html) return part.text
  if (typeof part === 'object') return part.map(({ text }) => text).join('')
  return String(part).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

interface Page {
  readonly title: string
  readonly body: Html
  readonly fields?: OutgoingHttpHeaders
}

export async function sendPage(visit: Visit, status: number, { title, body, fields }: Page): Promise<void> {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title} – Banyan Freight</title></head>
<body><h1>${title}</h1>
<p><a href="/shipments">Shipments</a> <a href="/customers">Customers</a> <a href="/logout">Log out</a></p>
${body}
</body></html>
`
  const plain = Buffer.from(page.text)
  const isPacked = plain.length >= bigPageBytes && acceptsGzip(visit.request.headers['accept-encoding'])
  const content = isPacked ? await compress(plain) : plain
  visit.response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': content.length,
    'Cache-Control': 'private, no-cache',
    Vary: 'Accept-Encoding, Cookie',
    ...(isPacked && { 'Content-Encoding': 'gzip' }),
    ...fields,
  })
  visit.response.end(content)
}

/** Whether gzip is named without a weight of zero (RFC 9110 §12.5.3). */
function acceptsGzip(accepted: string | string[] | undefined): boolean {
  const codings = String(accepted ?? '').split(',')
  return codings.some((coding) => /^\s*(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(coding))
}
