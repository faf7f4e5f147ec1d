// When the certificates end, for Prometheus.
// The danger it guards against: the Sunday on which one has expired.
import type { CertificateBook } from '../state/certificates.ts'
import { type ReadMetric, readMetric } from './readMetric.ts'

export function certificateMetric({ views }: Pick<CertificateBook, 'views'>): ReadMetric {
  return readMetric(
    'banyan_certificate_expiry_timestamp_seconds',
    'When a certificate of the public door expires; seconds since the epoch.',
    () => views().map(({ names, expiresAt }) => ({ labels: { names }, value: Math.floor(expiresAt / 1_000) })),
  )
}
