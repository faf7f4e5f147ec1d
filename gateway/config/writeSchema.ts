// Writes what is generated from the declarations of routes.yaml: the schema for editors and the reference page.
// Run it after a change of a key: `node gateway/config/writeSchema.ts`. A test holds that both files are current.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { filters } from '../filters.ts'
import { editorSchema } from './jsonSchema.ts'
import { referencePage } from './reference.ts'

const docs = join(import.meta.dirname, '../../docs')
await mkdir(docs, { recursive: true })
await writeFile(join(import.meta.dirname, 'routes.schema.json'), editorSchema(filters))
await writeFile(join(docs, 'routes-reference.md'), referencePage(filters))
