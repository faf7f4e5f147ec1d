// Which Banyan this is, from the package that it was installed with.
// The danger it guards against: a version in a log that is not the one that runs.
import { readFileSync } from 'node:fs'

// Beside the sources in a clone; one folder further up from the compiled files of a package.
const place = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json'

export const version: string = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')).version
