// How an https upstream is spoken to.
// The danger it guards against: a certificate of ours that is half there, or shown to nobody because the URL says http.
import { dirname, resolve } from 'node:path'
import type { Static } from 'typebox'
import type { Target, TlsFiles } from '../model.ts'
import { type Page, refuse } from './page.ts'
import { below } from './pointer.ts'
import type { upstreamTlsSchema } from './upstreamTlsSchema.ts'

type Checked = Static<typeof upstreamTlsSchema>

/** @param page with its path in `file`. @returns undefined after a mistake, which is told */
export function tlsOf(
  page: Page,
  { pointer, file }: { pointer: string; file: string },
  { verify, ...files }: Checked,
  targets: readonly Pick<Target, 'secure'>[],
): Pick<Target, 'verify' | 'tls'> | undefined {
  const { ca, cert, key } = files
  const at = below(pointer, 'tls')
  if (ca === undefined && cert === undefined && key === undefined) return { verify }
  if (cert !== undefined && key === undefined) return refuse(page, below(at, 'cert'), 'cert needs its key; add "key"')
  if (key !== undefined && cert === undefined) return refuse(page, below(at, 'key'), 'key needs its cert; add "cert"')
  if (!targets.every(({ secure }) => secure))
    return refuse(page, at, 'these files are for TLS, and the url says http; make it https or remove them')
  if (ca !== undefined && !verify)
    return refuse(page, below(at, 'ca'), '"ca" says whom to believe, and verify: false believes everybody; remove one')
  return { verify, tls: pathsOf(files, dirname(file)) }
}

function pathsOf({ ca, cert, key }: Omit<Checked, 'verify'>, folder: string): TlsFiles {
  return {
    ...(ca !== undefined && { ca: resolve(folder, ca) }),
    ...(cert !== undefined && { cert: resolve(folder, cert) }),
    ...(key !== undefined && { key: resolve(folder, key) }),
  }
}
