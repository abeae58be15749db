/**
 * The files of the message that is being written: on their way up, there, or in trouble.
 *
 * Each keeps its id through every attempt, so that the server can tell a repetition from a second file.
 */

import { signal } from '@preact/signals'
import { counted, fill, panel as words } from '../strings/en'
import { Problem, type Api } from './api'
import { newId } from './storage'
import type { Attachment, FileLimits } from './types'

export const LIMITS: FileLimits = {
  largest: 20 * 1024 * 1024,
  most: 5,
  endings: ['png', 'jpg', 'jpeg', 'gif', 'webp', 'pdf', 'txt', 'log', 'csv', 'docx', 'xlsx'],
}

export interface Upload {
  id: string
  name: string
  size: number
  state: 'sending' | 'there' | 'failed' | 'refused'
  /** How much of it has gone, from 0 to 1. */
  share: number
  problem: string
  file: Attachment | null
}

export function sizeText(bytes: number): string {
  const unit = bytes < 1024 * 1024 ? 'kilobyte' : 'megabyte'
  const value = unit === 'kilobyte' ? Math.max(1, Math.round(bytes / 1024)) : Math.round(bytes / 1024 / 102.4) / 10
  return new Intl.NumberFormat(document.documentElement.lang || undefined, { style: 'unit', unit, unitDisplay: 'short' }).format(value)
}

/** `place` makes sure that there is a conversation to upload to; `told` hears what a listener should. */
export function createUploads(api: Api, limits: () => FileLimits, place: () => Promise<string>, told: (sentence: string) => void) {
  const items = signal<Upload[]>([])
  const sources = new Map<string, Blob>()
  const stops = new Map<string, () => void>()

  const change = (id: string, news: Partial<Upload>) => {
    items.value = items.value.map((item) => (item.id === id ? { ...item, ...news } : item))
  }
  const fail = (id: string, name: string, state: 'failed' | 'refused', problem: string) => {
    change(id, { state, problem })
    told(fill(words.fileTrouble, { name, why: problem }))
  }

  async function carry({ id, name }: Upload): Promise<void> {
    change(id, { state: 'sending', share: 0, problem: '' })
    try {
      const conversation = await place()
      const source = sources.get(id)
      if (!source) return
      const path = `/conversations/${conversation}/files?name=${encodeURIComponent(name)}&file=${id}`
      const file = await api.upload<Attachment>(path, source, (share) => change(id, { share }), (stop) => stops.set(id, stop))
      change(id, { state: 'there', share: 1, file })
      told(fill(words.fileUploaded, { name }))
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem
      fail(id, name, problem.passing ? 'failed' : 'refused', problem.passing ? words.fileFailed : problem.detail)
    } finally {
      stops.delete(id)
    }
  }

  function add(files: Iterable<File>): void {
    for (const file of files) {
      const { largest, most } = limits()
      if (items.value.length >= most) return told(counted(words.filesTooMany, most))
      const item: Upload = { id: newId(), name: file.name || 'image.png', size: file.size, state: 'sending', share: 0, problem: '', file: null }
      items.value = [...items.value, item]
      if (file.size > largest) fail(item.id, item.name, 'refused', fill(words.fileTooLarge, { size: sizeText(largest) }))
      else if (!file.size) fail(item.id, item.name, 'refused', words.fileEmpty)
      else {
        sources.set(item.id, file)
        void carry(item)
      }
    }
  }

  function remove(id: string): void {
    stops.get(id)?.()
    sources.delete(id)
    items.value = items.value.filter((item) => item.id !== id)
  }

  return {
    items,
    add,
    remove,
    retry(id: string) {
      const item = items.value.find((each) => each.id === id)
      if (item) void carry(item)
    },
    /** Hand over what is there, for a message. */
    take(): Attachment[] {
      const files = items.value.flatMap((item) => item.file ?? [])
      for (const item of items.value) remove(item.id)
      return files
    },
  }
}
