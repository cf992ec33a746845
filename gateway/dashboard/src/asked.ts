// What is asked of the gateway beyond the stream, because it is too much for everybody: the cases of one shipment, and
// why one of them counts as come.

const PATIENCE_MS = 8_000;

/** Not an answer: there is no such thing, or none came. */
export type Unanswered = "unknown" | "failed";

/** The JSON at a path below the API. */
export async function ask<T>(path: string): Promise<T | Unanswered> {
  try {
    const response = await fetch(`api/v1/${path}`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.status === 404) return "unknown";
    return response.ok ? ((await response.json()) as T) : "failed"; // the gateway's own types stand in its OpenAPI
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException) return "failed"; // no network, no answer in time
    throw error;
  }
}
