import H5ConvTensors
import Testing

@Suite("Memory of tensors")
struct TensorMemoryTests {
  /// Blocks of malloc, cut from slabs, and from the system.
  private static let counts = [1, 100, 16_000, 17_000, 70_000, 200_000, 400_000, 600_000, 1_300_000]

  private func filled(_ number: Int) throws -> Tensor {
    let count = TensorMemoryTests.counts[number % TensorMemoryTests.counts.count]
    return try Tensor(shape: [count]) { $0.initialize(repeating: Float(number)) }
  }

  private func isWhole(_ tensor: Tensor, _ number: Int) -> Bool {
    tensor.withUnsafeElements { $0.allSatisfy { $0 == Float(number) } }
  }

  @Test func tensorsHaveMemoryOfTheirOwn() throws {
    var tensors: [Int: Tensor] = [:]
    for number in 0..<60 { tensors[number] = try filled(number) }
    // Some are given back, some of it to the system, and others take their place.
    for number in stride(from: 0, to: 60, by: 2) { tensors[number] = nil }
    TensorMemory.releaseFree()
    for number in 60..<90 { tensors[number] = try filled(number) }
    for number in stride(from: 1, to: 60, by: 4) { tensors[number] = nil }
    for number in 90..<120 { tensors[number] = try filled(number) }
    for (number, tensor) in tensors { #expect(isWhole(tensor, number), "\(number)") }
    for tensor in tensors.values {
      tensor.withUnsafeElements { #expect(UInt(bitPattern: $0.baseAddress) % 64 == 0) }
    }
  }

  @Test func severalTasksAtOnce() async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for task in 0..<8 {
        group.addTask {
          for round in 0..<40 {
            let number = task * 1000 + round
            let tensors = try [filled(number), filled(number + 1)]
            if round % 10 == task { TensorMemory.releaseFree() }
            guard isWhole(tensors[0], number), isWhole(tensors[1], number + 1) else { return false }
          }
          return true
        }
      }
      for try await isWhole in group { #expect(isWhole) }
    }
  }
}
