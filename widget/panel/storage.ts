/**
 * What the browser keeps for us, under names of our own; in memory if it keeps nothing.
 *
 * The frame's storage is separate for each site the widget stands on, which is what we want.
 */

export interface Storage {
  readonly lasting: boolean
  get<Value>(name: string): Value | null
  set(name: string, value: unknown): void
  drop(name: string): void
  names(prefix: string): string[]
}

type Shelf = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'> & { keys(): string[] }

function browserShelf(): Shelf | null {
  try {
    const shelf = window.localStorage
    shelf.setItem('escalade:probe', '1')
    shelf.removeItem('escalade:probe')
    return {
      getItem: (name) => shelf.getItem(name),
      setItem: (name, value) => shelf.setItem(name, value),
      removeItem: (name) => shelf.removeItem(name),
      keys: () => Object.keys(shelf),
    }
  } catch {
    return null
  }
}

function memoryShelf(): Shelf {
  const kept = new Map<string, string>()
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
    removeItem: (name) => void kept.delete(name),
    keys: () => [...kept.keys()],
  }
}

export function openStorage(key: string, shelf: Shelf | null = browserShelf()): Storage {
  const place = shelf ?? memoryShelf()
  const overflow = memoryShelf() // what a full disk refused, for as long as this page lives
  const prefix = `escalade:${key}:`
  return {
    lasting: shelf !== null,
    get(name) {
      try {
        const kept = overflow.getItem(prefix + name) ?? place.getItem(prefix + name)
        return kept === null ? null : JSON.parse(kept)
      } catch {
        return null
      }
    },
    set(name, value) {
      const text = JSON.stringify(value)
      try {
        place.setItem(prefix + name, text)
        overflow.removeItem(prefix + name)
      } catch {
        overflow.setItem(prefix + name, text)
      }
    },
    drop(name) {
      place.removeItem(prefix + name)
      overflow.removeItem(prefix + name)
    },
    names: (start) =>
      [...new Set([...place.keys(), ...overflow.keys()])]
        .filter((name) => name.startsWith(prefix + start))
        .map((name) => name.slice(prefix.length))
        .sort(),
  }
}

/** 128 random bits as 32 hexadecimal digits. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
