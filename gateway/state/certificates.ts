// The certificates that the gateway proves itself with, as they lie on the disk, and again whenever they change there.
// The dangers they guard against: one that has expired although its successor has lain there for weeks, and a connection that
// is refused because one of its two files is new and the other is not yet.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { readNow } from '../files/content.ts'
import { type Follower, follow } from '../files/follow.ts'
import type { CertificateFiles, Clock } from '../model.ts'

interface Pair {
  readonly files: CertificateFiles
  readonly cert: string
  readonly key: string
  readonly x509: X509Certificate
  readonly context: SecureContext
}

/** What operators see of one. */
export interface CertificateView {
  /** Path. */
  readonly file: string
  /** The names in it (RFC 6125), as it has them. */
  readonly names: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** Why what lies in its files now is not what clients get. */
  readonly trouble?: string
}

/** Those of one door. */
export interface DoorCertificates {
  /** For clients that name that host (SNI, RFC 6066 §3), in lower case; undefined for a host that is in none of them. */
  contextFor(host: string): SecureContext | undefined
  /** For everybody else. */
  readonly first: { readonly cert: string; readonly key: string }
  onChange(listener: () => void): void
}

export interface CertificateBook {
  /** Once. Rejects with a sentence when one of them cannot be used. Undefined: there are none. */
  open(files: readonly CertificateFiles[]): Promise<DoorCertificates | undefined>
  views(): readonly CertificateView[]
  /** What is wrong or soon will be, as sentences. */
  hints(): readonly string[]
  close(): Promise<void>
}

export interface CertificateParts {
  readonly clock: Pick<Clock, 'wall'>
  /** Others are used from now on, or why not. */
  told(view: CertificateView): void
}

const pollMs = 1_000
/** How long both files must have stood still. */
const settleMs = 50
const dayMs = 86_400_000
const warnDays = 14

export function createCertificates({ clock, told }: CertificateParts): CertificateBook {
  const pairs: Pair[] = []
  const troubles = new Map<string, string>()
  const followers: Follower[] = []
  const listeners: (() => void)[] = []

  function renew(at: number): void {
    const before = pairs[at] as Pair
    const { files } = before
    const read = readPair(files)
    if (typeof read === 'string') {
      if (troubles.get(files.cert) === read) return
      troubles.set(files.cert, read)
    } else {
      const isNew = troubles.delete(files.cert) || read.cert !== before.cert || read.key !== before.key
      if (!isNew) return
      pairs[at] = read
      for (const tell of listeners) tell()
    }
    told(viewOf(pairs[at] as Pair))
  }

  function followPair(files: CertificateFiles, at: number): void {
    const onContent = () => renew(at)
    for (const file of new Set([files.cert, files.key])) {
      const follower = follow({ file, onContent, pollMs, settleMs })
      followers.push(follower)
      follower.start()
    }
  }

  function viewOf({ files, x509 }: Pair): CertificateView {
    const trouble = troubles.get(files.cert)
    const expiresAt = x509.validToDate.getTime()
    return { file: files.cert, names: namesOf(x509), expiresAt, ...(trouble !== undefined && { trouble }) }
  }

  return {
    async open(files) {
      for (const both of files) {
        const read = readPair(both)
        if (typeof read === 'string') throw new Error(`public.tls: ${read}`)
        pairs.push(read)
      }
      const [first] = pairs
      if (!first) return undefined
      files.forEach(followPair)
      return {
        contextFor: (host) => pairs.find(({ x509 }) => x509.checkHost(host) !== undefined)?.context,
        get first() {
          return pairs[0] ?? first
        },
        onChange: (listener) => void listeners.push(listener),
      }
    },
    views: () => pairs.map(viewOf),
    hints: () => pairs.map(viewOf).flatMap((view) => hintsOf(view, clock.wall())),
    async close() {
      await Promise.all(followers.map((follower) => follower.close()))
    },
  }
}

/** @returns why they cannot be used, as a sentence */
function readPair(files: CertificateFiles): Pair | string {
  const [cert, key] = [readNow(files.cert), readNow(files.key)]
  if ('trouble' in cert) return cert.trouble
  if ('trouble' in key) return key.trouble
  try {
    const x509 = new X509Certificate(cert.text)
    if (!x509.checkPrivateKey(createPrivateKey(key.text)))
      return `the key in ${files.key} is not that of the certificate in ${files.cert}; put the two that belong together there`
    const context = createSecureContext({ cert: cert.text, key: key.text })
    return { files, cert: cert.text, key: key.text, x509, context }
  } catch {
    // What the parser says may quote what it reads.
    return `${files.cert} and ${files.key} are no certificate and key without a passphrase, in PEM; write them so`
  }
}

function namesOf({ subjectAltName, subject }: X509Certificate): string {
  return subjectAltName?.replaceAll(/(?:DNS|IP Address):/g, '') ?? subject
}

function hintsOf({ file, names, expiresAt, trouble }: CertificateView, nowMs: number): string[] {
  const days = Math.floor((expiresAt - nowMs) / dayMs)
  const when = days < 0 ? 'has expired' : `expires in ${days} days`
  return [
    ...(trouble === undefined ? [] : [`the certificate before stays in use: ${trouble}`]),
    ...(days < warnDays ? [`the certificate of ${names} (${file}) ${when}: put its successor there`] : []),
  ]
}
