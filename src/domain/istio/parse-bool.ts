/**
 * A switch in istiod's environment, as Go's strconv.ParseBool reads it; anything else counts as not set (istio/istio
 * pkg/env/var.go).
 */
export function parseBool(value: string | undefined, unset: boolean): boolean {
  if (value === undefined || value === '') return unset;
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value) ? false : unset;
}
