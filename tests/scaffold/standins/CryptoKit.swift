@_exported import Foundation

public struct SHA256Digest: Sequence {
    let bytes: [UInt8]

    public func makeIterator() -> Array<UInt8>.Iterator { bytes.makeIterator() }
}

/// FIPS 180-4, as written there.
public struct SHA256 {
    private var data: [UInt8] = []

    public init() {}

    public static func hash(data: Data) -> SHA256Digest {
        var hash = SHA256()
        hash.update(data: data)
        return hash.finalize()
    }

    public mutating func update(data: Data) { self.data += data }

    public func finalize() -> SHA256Digest {
        let (fractions, roots) = Self.constants()
        var message = data + [0x80]
        while message.count % 64 != 56 { message.append(0) }
        message += (0..<8).map { UInt8(truncatingIfNeeded: (data.count * 8) >> (56 - 8 * $0)) }
        var hash = roots
        for block in stride(from: 0, to: message.count, by: 64) {
            var w = (0..<16).map { word in
                (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(message[block + 4 * word + $1]) }
            }
            for t in 16..<64 {
                let s0 = Self.turn(w[t - 15], 7) ^ Self.turn(w[t - 15], 18) ^ (w[t - 15] >> 3)
                let s1 = Self.turn(w[t - 2], 17) ^ Self.turn(w[t - 2], 19) ^ (w[t - 2] >> 10)
                w.append(w[t - 16] &+ s0 &+ w[t - 7] &+ s1)
            }
            var v = hash
            for t in 0..<64 {
                let s1 = Self.turn(v[4], 6) ^ Self.turn(v[4], 11) ^ Self.turn(v[4], 25)
                let choice = (v[4] & v[5]) ^ (~v[4] & v[6])
                let first = v[7] &+ s1 &+ choice &+ fractions[t] &+ w[t]
                let s0 = Self.turn(v[0], 2) ^ Self.turn(v[0], 13) ^ Self.turn(v[0], 22)
                let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2])
                v = [first &+ s0 &+ majority, v[0], v[1], v[2], v[3] &+ first, v[4], v[5], v[6]]
            }
            hash = zip(hash, v).map { $0 &+ $1 }
        }
        return SHA256Digest(bytes: hash.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } })
    }

    private static func turn(_ value: UInt32, _ bits: UInt32) -> UInt32 { value >> bits | value << (32 - bits) }

    /// First 32 bits of the fractions of cube roots and square roots of the first primes.
    private static func constants() -> ([UInt32], [UInt32]) {
        var primes: [Double] = []
        var candidate = 2
        while primes.count < 64 {
            if !primes.contains(where: { candidate % Int($0) == 0 }) { primes.append(Double(candidate)) }
            candidate += 1
        }
        func fraction(_ value: Double) -> UInt32 { UInt32((value - value.rounded(.down)) * 4_294_967_296) }
        return (primes.map { fraction(cbrt($0)) }, primes.prefix(8).map { fraction($0.squareRoot()) })
    }
}
