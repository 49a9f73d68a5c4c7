// Numbers, times and bytes in words.

export function size(n) {
  if (n < 0) return "unknown";
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
  return i === 0 ? `${n} bytes` : `${n.toFixed(1)} ${units[i]}`;
}

export function span(seconds) {
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${(seconds * 1000).toPrecision(seconds < 0.01 ? 2 : 3)} ms`;
  if (seconds < 90) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export const ago = (time) => span(Math.max(0, (Date.now() - Date.parse(time)) / 1000));
export const plural = (n, what) => (n === 1 ? `1 ${what}` : `${n} ${what}s`);

// byID sorts n2 before n10.
export const byID = (a, b) => a.id.localeCompare(b.id, "en", { numeric: true });

export function bytesOf(base64) {
  return Uint8Array.from(atob(base64 ?? ""), (c) => c.charCodeAt(0));
}

// textOf returns bytes as text, or null where they are none that one could read and
// write back unchanged.
export function textOf(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

const hex = (byte) => byte.toString(16).padStart(2, "0");

// preview shows bytes on little room, all of them if they are few.
export function preview(bytes, most) {
  const text = textOf(bytes);
  if (text !== null) return text.length > most ? text.slice(0, most) + "…" : text;
  const shown = [...bytes.slice(0, most / 3)].map(hex).join(" ");
  return bytes.length > most / 3 ? shown + " …" : shown;
}

// keyBytes reads a key as a person wrote it. Undecodable escapes are an error.
export function keyBytes(text, percent) {
  if (!percent) return new TextEncoder().encode(text);
  if (/%(?![0-9a-fA-F]{2})/.test(text)) throw new Error("The key has a % that two hexadecimal digits do not follow: write % itself as %25.");
  const parts = text.split(/(%[0-9a-fA-F]{2})/);
  return Uint8Array.from(parts.flatMap((p) => (p.startsWith("%") && p.length === 3 ? [parseInt(p.slice(1), 16)] : [...new TextEncoder().encode(p)])));
}

// pathOf is a key in a path. A browser takes . and .. for steps in it, however they
// are written, unless they are a part of something longer.
export function pathOf(bucket, key) {
  const name = [...key].map((b) => (/[A-Za-z0-9._~-]/.test(String.fromCharCode(b)) ? String.fromCharCode(b) : "%" + hex(b).toUpperCase())).join("");
  if (name === "") throw new Error("The key is empty.");
  if (name === "." || name === "..") throw new Error(`A browser cannot ask for the key ${name}: use ouro get ${bucket}/${name}`);
  if (/^\.{0,2}$/.test(bucket)) throw new Error("The bucket has no name, or one that a browser cannot ask for.");
  return `${encodeURIComponent(bucket)}/${name}`;
}
