/// SHA-256 (FIPS 180-4), for checking what is committed against published sums.
func sha256(_ message: [UInt8]) -> [UInt8] {
  let primes = (2...311).filter { number in !(2..<number).contains { number % $0 == 0 } }
  // The first 32 bits of the fractional parts of the primes' cube roots and square roots.
  func fraction(_ root: (UInt64) -> UInt64, _ prime: Int) -> UInt32 { UInt32(truncatingIfNeeded: root(UInt64(prime))) }
  let keys = primes.prefix(64).map { fraction(cubeRoot32, $0) }
  var hash = primes.prefix(8).map { fraction(squareRoot32, $0) }

  var padded = message + [0x80]
  padded += [UInt8](repeating: 0, count: (120 - padded.count % 64) % 64)
  padded += (0..<8).map { UInt8(truncatingIfNeeded: UInt64(message.count * 8) >> (56 - 8 * $0)) }
  for block in stride(from: 0, to: padded.count, by: 64) {
    var w = (0..<16).map { i in (0..<4).reduce(0 as UInt32) { $0 << 8 | UInt32(padded[block + 4 * i + $1]) } }
    for i in 16..<64 {
      let s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3
      let s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10
      w.append(w[i - 16] &+ s0 &+ w[i - 7] &+ s1)
    }
    var v = hash
    for i in 0..<64 {
      let s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)
      let t1 = v[7] &+ s1 &+ (v[4] & v[5] ^ ~v[4] & v[6]) &+ keys[i] &+ w[i]
      let s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)
      let t2 = s0 &+ (v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2])
      v = [t1 &+ t2, v[0], v[1], v[2], v[3] &+ t1, v[4], v[5], v[6]]
    }
    hash = zip(hash, v).map { $0 &+ $1 }
  }
  return hash.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } }
}

private func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }

/// ⌊2³² √n⌋.
private func squareRoot32(_ n: UInt64) -> UInt64 { largest { x in x.multipliedFullWidth(by: x) <= (n, 0) } }

/// ⌊2³² ∛n⌋: the largest x with x³ ≤ n 2⁹⁶.
private func cubeRoot32(_ n: UInt64) -> UInt64 {
  largest { x in
    let square = x.multipliedFullWidth(by: x)
    let low = square.low.multipliedFullWidth(by: x)
    let (middle, carry) = (square.high &* x).addingReportingOverflow(low.high)
    return !carry && (middle, low.low) <= (n << 32, 0)
  }
}

private func largest(_ fits: (UInt64) -> Bool) -> UInt64 {
  (0..<37).reversed().reduce(0) { fits($0 | 1 << $1) ? $0 | 1 << $1 : $0 }
}
