/// Where the boxes of a ``Diagram`` stand: rows from top to bottom by the longest way from the inputs, and within a row in an order
/// that lets few arrows cross (Sugiyama, Tagawa, Toda 1981; barycentres).
struct DiagramLayout {
  /// Row of each node, from 0.
  let rows: [Int]
  /// Horizontal place of each node's middle, in boxes.
  let places: [Double]
  /// For each node and each of its inputs, places of the arrow in the rows between both, from top to bottom.
  let bends: [[[Double]]]
  let rowCount: Int
  /// Boxes side by side in the widest row.
  let width: Double

  /// Arrows over more rows than this in all are drawn straight: a hostile network must not take for ever.
  private static let mostBends = 20_000

  init(_ diagram: Diagram) {
    let nodes = diagram.nodes
    var rows = [Int](repeating: 0, count: nodes.count)
    for (place, node) in nodes.enumerated() {
      for input in node.inputs { rows[place] = max(rows[place], rows[input] + 1) }
    }
    rowCount = (rows.max() ?? -1) + 1
    let spans = nodes.enumerated().reduce(0) { sum, node in
      node.element.inputs.reduce(sum) { $0 + rows[node.offset] - rows[$1] - 1 }
    }

    // Items are nodes, then bends; each knows its neighbours in the row above.
    var above = nodes.map { _ in [Int]() }
    var itemRows = rows
    var chains = nodes.map { $0.inputs.map { _ in [Int]() } }
    for (place, node) in nodes.enumerated() {
      for (number, input) in node.inputs.enumerated() {
        var last = input
        if spans <= DiagramLayout.mostBends, rows[place] - rows[input] > 1 {
          for row in rows[input] + 1..<rows[place] {
            above.append([last])
            itemRows.append(row)
            last = above.count - 1
            chains[place][number].append(last)
          }
        }
        if rows[place] - itemRows[last] == 1 { above[place].append(last) }
      }
    }
    var below = above.map { _ in [Int]() }
    for (item, neighbours) in above.enumerated() { for neighbour in neighbours { below[neighbour].append(item) } }
    var order = [[Int]](repeating: [], count: rowCount)
    for item in itemRows.indices { order[itemRows[item]].append(item) }

    // The main way straight down the middle, the others beside it.
    var x = [Double](repeating: 0, count: itemRows.count)
    func spread(_ items: [Int], isNode: (Int) -> Bool) {
      var at = 0.0
      for item in items {
        x[item] = at
        at += 1
      }
      let middle = (at - 1) / 2
      for item in items { x[item] -= middle }
    }
    for row in order { spread(row) { $0 < nodes.count } }
    for sweep in 0..<6 {
      let isDown = sweep % 2 == 0
      for row in isDown ? Array(order.indices) : order.indices.reversed() {
        let neighbours = isDown ? above : below
        let wish = order[row].map { item -> (item: Int, x: Double) in
          let around = neighbours[item]
          return (item, around.isEmpty ? x[item] : around.reduce(0) { $0 + x[$1] } / Double(around.count))
        }
        let sorted = wish.enumerated().sorted { ($0.element.x, $0.offset) < ($1.element.x, $1.offset) }.map(\.element)
        order[row] = sorted.map(\.item)
        DiagramLayout.place(sorted, into: &x)
      }
    }
    self.rows = rows
    let least = x.min() ?? 0
    places = nodes.indices.map { x[$0] - least }
    bends = chains.map { $0.map { $0.map { x[$0] - least } } }
    width = (x.max() ?? 0) - least + 1
  }

  /// Puts items as near to their wishes as the distance of 1 between neighbours lets, all moved alike when they collide.
  private static func place(_ items: [(item: Int, x: Double)], into x: inout [Double]) {
    var groups: [(first: Int, count: Int, x: Double)] = []
    for (number, item) in items.enumerated() {
      groups.append((number, 1, item.x))
      while groups.count > 1, let last = groups.last,
        case let before = groups[groups.count - 2], before.x + Double(before.count) > last.x
      {
        groups.removeLast(2)
        let count = before.count + last.count
        let sum = before.x * Double(before.count) + (last.x - Double(before.count)) * Double(last.count)
        groups.append((before.first, count, sum / Double(count)))
      }
    }
    for group in groups {
      for number in 0..<group.count { x[items[group.first + number].item] = group.x + Double(number) }
    }
  }
}
