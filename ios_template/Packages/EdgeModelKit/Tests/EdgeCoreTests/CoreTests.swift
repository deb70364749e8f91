import Foundation
import XCTest

@testable import EdgeCore

/// What golden vectors do not reach: wrong input, memory that is used again, text and time.
final class CoreTests: XCTestCase {
    func testEveryOrientationTurnsThePictureUpright() throws {
        // 1 2 3
        // 4 5 6
        let picture = try Picture(width: 3, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6])
        let expected = [
            1: "123456", 2: "321654", 3: "654321", 4: "456123", 5: "142536",
            6: "415263", 7: "635241", 8: "362514", 9: "123456", 0: "123456",
        ]
        for (orientation, pixels) in expected {
            let turned = picture.upright(orientation)
            XCTAssertEqual(Self.text(turned), pixels, "orientation \(orientation)")
            XCTAssertEqual(turned.width, (5...8).contains(orientation) ? 2 : 3)
        }
        XCTAssertEqual(Self.text(picture.rotated(90)), "415263")
        XCTAssertEqual(Self.text(picture.rotated(-180)), "654321")
        XCTAssertEqual(Self.text(picture.rotated(270)), "362514")
        XCTAssertEqual(picture.rotated(360), picture)
        let color = try Picture(width: 2, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
        XCTAssertEqual(Self.text(color.upright(2)), "456123")
    }

    private static func text(_ picture: Picture) -> String { picture.pixels.map(String.init).joined() }

    func testPackedPixelsLoseTheirAlphaAndTheEndsOfTheirRows() throws {
        let bytes: [UInt8] = [1, 2, 3, 99, 4, 5, 6, 99, 0, 0, 7, 8, 9, 99, 10, 11, 12, 99]
        try bytes.withUnsafeBytes { raw in
            var picture = try Picture(raw, order: .rgba, width: 2, height: 2, bytesPerRow: 10)
            XCTAssertEqual(picture.pixels, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
            try picture.refill(raw, order: .bgra, width: 2, height: 1, bytesPerRow: 8)
            XCTAssertEqual(picture, try Picture(width: 2, height: 1, channels: 3, pixels: [3, 2, 1, 6, 5, 4]))
            XCTAssertThrowsError(try picture.refill(raw, order: .rgba, width: 2, height: 3, bytesPerRow: 10))
            XCTAssertThrowsError(try picture.refill(raw, order: .rgba, width: 2, height: 2, bytesPerRow: 7))
            XCTAssertThrowsError(try picture.refill(raw, order: .rgba, width: 0, height: 1, bytesPerRow: 8))
            XCTAssertThrowsError(try picture.refill(raw, order: .rgba, width: 1, height: .max, bytesPerRow: 8))
        }
        XCTAssertThrowsError(try Picture(width: 2, height: 2, channels: 3, pixels: [1]))
        XCTAssertThrowsError(try Picture(width: -1, height: -1, channels: 1, pixels: [1]))
        XCTAssertThrowsError(try Picture(width: 1, height: 1, channels: 4, pixels: [1, 2, 3, 4]))
    }

    func testAPreprocessorKeepsNothingOfTheLastPicture() throws {
        let spec = ImageSpec(height: 5, width: 4, color: .bgr, fit: .pad, padValue: 7)
        var kept = Preprocessor(spec)
        var out = [Float](repeating: .nan, count: spec.size)
        for (width, height) in [(9, 3), (3, 9), (9, 3), (4, 5)] {
            let channels = width == 4 ? 1 : 3
            let pixels = (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 * 31) }
            let picture = try Picture(width: width, height: height, channels: channels, pixels: pixels)
            try kept.image(picture, into: &out)
            XCTAssertEqual(out, try Preprocess.image(picture, spec))
        }
        var short: [Float] = [0]
        XCTAssertThrowsError(
            try kept.image(Picture(width: 1, height: 1, channels: 1, pixels: [1]), into: &short))
    }

    func testAPictureOfTheWrongSizeIsRefusedWhereNothingMayResize() throws {
        let spec = ImageSpec(height: 2, width: 2, resize: .none)
        let picture = try Picture(width: 3, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6])
        XCTAssertThrowsError(try Preprocess.image(picture, spec)) { error in
            XCTAssertEqual((error as? ModelError)?.reason, "the picture is 3 x 2, the model takes 2 x 2")
        }
    }

    func testAnImageInputGetsThePixelsThatItsTensorWasMadeOf() throws {
        let pixels: [UInt8] = (0..<18).map { UInt8($0 * 15) }
        let picture = try Picture(width: 3, height: 2, channels: 3, pixels: pixels)
        var bgra: [UInt8] = []
        for place in stride(from: 0, to: 18, by: 3) { bgra += pixels[place..<place + 3].reversed() + [255] }
        for (color, coreml) in [(ImageSpec.Color.rgb, CoreMLImage.Color.rgb), (.bgr, .bgr)] {
            for layout in [ImageSpec.Layout.nhwc, .nchw] {
                let image = ImageSpec(
                    height: 2, width: 3, color: color, scale: 1 / 127.5, mean: [1, 0.9, 0.8], layout: layout)
                let converter = CoreMLImage(scale: 1 / 127.5, bias: [-1, -0.9, -0.8], color: coreml)
                let shape = layout == .nhwc ? [1, 2, 3, 3] : [1, 3, 2, 3]
                let input = TensorSpec(
                    name: "x", type: .float32, shape: shape, image: image, coremlImage: converter)
                let tensor = try Preprocess.tensor(picture, input)
                XCTAssertEqual(try converter.pixels(of: tensor, input: input), bgra, "\(color) \(layout)")
            }
        }
        let gray = CoreMLImage(scale: 1, bias: [0], color: .gray)
        let input = TensorSpec(
            name: "x", type: .float32, shape: [1, 1, 4, 1], image: ImageSpec(height: 1, width: 4, color: .gray))
        let tensor = Tensor([-3, 0.5, 1.5, 300], shape: input.shape)
        XCTAssertEqual(try gray.pixels(of: tensor, input: input), [0, 0, 2, 255])
        XCTAssertThrowsError(try gray.pixels(of: Tensor([1], shape: [1]), input: input))
        XCTAssertThrowsError(try gray.pixels(of: Tensor([0, 0, 0, .nan], shape: input.shape), input: input))
    }

    func testIntegersThatAreNotConvertedPassAsTheyAre() throws {
        let spec = TensorSpec(name: "x", type: .int32, shape: [2])
        let tensor = Tensor(.ints([1, 2]), shape: [2])
        XCTAssertEqual(try Quantizer.toStored(tensor, spec), tensor)
        XCTAssertEqual(try Quantizer.fromStored(tensor, spec), tensor)
        let odd = TensorSpec(name: "x", type: .int32, shape: [2], storedType: .int8)
        XCTAssertThrowsError(try Quantizer.toStored(tensor, odd))
        let half = TensorSpec(name: "x", type: .float32, shape: [1], storedType: .float16)
        XCTAssertEqual(try Quantizer.toStored(Tensor([0.1], shape: [1]), half), Tensor([0.1], shape: [1]))
    }

    func testNaNCannotBeQuantized() throws {
        let rule = Quantization(scale: 1, zeroPoint: 0)
        XCTAssertThrowsError(try Quantizer.quantize([1, .nan], rule, as: Int8.self))
        XCTAssertEqual(try Quantizer.quantize([-.infinity, .infinity], rule, as: Int32.self), [.min, .max])
        XCTAssertEqual(Quantizer.dequantize([Int32.min], Quantization(scale: 1, zeroPoint: 1)), [Float(Int32.max)])
    }

    func testInputsAreCheckedBeforeTheModelSeesThem() throws {
        let specs = [
            TensorSpec(name: "x", type: .float32, shape: [1, 2]), TensorSpec(name: "n", type: .int64, shape: []),
        ]
        let x = Tensor([0, 0], shape: [1, 2])
        let n = Tensor.zeros(.int64, shape: [])
        try Tensor.check(["x": x, "n": n], specs)
        let wrong: [[String: Tensor]] = [
            ["x": x],
            ["x": x, "n": n, "y": n],
            ["x": n, "n": n],
            ["x": Tensor([0, 0, 0], shape: [1, 3]), "n": n],
            ["x": Tensor([0, 0, 0], shape: [1, 2]), "n": n],
            ["x": Tensor([0, 0], shape: [2, 1]), "n": n],
        ]
        for given in wrong { XCTAssertThrowsError(try Tensor.check(given, specs), "\(given)") }
    }

    func testValuesOfEveryTypeAreRealNumbers() throws {
        let tensors = [
            Tensor([1, 0], shape: [2]), Tensor(.int8s([1, 0]), shape: [2]), Tensor(.uint8s([1, 0]), shape: [2]),
            Tensor(.ints([1, 0]), shape: [2]), Tensor(.longs([1, 0]), shape: [2]),
            Tensor(.booleans([true, false]), shape: [2]),
        ]
        for tensor in tensors {
            XCTAssertEqual(tensor.reals(), [1, 0])
            XCTAssertEqual(tensor.toFloats(), [1, 0])
            XCTAssertEqual(tensor.real(0), 1)
            XCTAssertEqual(Tensor.zeros(tensor.type, shape: [2]).reals(), [0, 0])
            if tensor.type != .float32 { XCTAssertThrowsError(try tensor.floats()) }
        }
    }

    func testOutputsBecomeWhatTheyMean() throws {
        let facts = ModelFacts(
            name: "m", version: "1", variant: "v", modelFile: "M.mlpackage", modelSha256: "", modelSize: 0,
            signature: "main", inputs: [],
            outputs: [
                TensorSpec(
                    name: "scores", type: .float32, shape: [1, 3],
                    postprocess: PostprocessSpec(activation: .softmax, topK: 2)),
                TensorSpec(
                    name: "mask", type: .float32, shape: [1, 2], postprocess: PostprocessSpec(activation: .sigmoid)),
                TensorSpec(name: "raw", type: .int32, shape: [1]),
            ],
            labels: ["no", "yes"])
        let raw = Tensor(.ints([5]), shape: [1])
        let outputs = [
            "scores": Tensor([0, 1, 1], shape: [1, 3]), "mask": Tensor([0, 100], shape: [1, 2]), "raw": raw,
        ]
        let meaning = try Postprocess.outputs(outputs, facts)
        XCTAssertEqual(meaning.classes["scores"]?.map(\.index), [1, 2])
        XCTAssertEqual(meaning.classes["scores"]?.map(\.label), ["yes", nil])
        XCTAssertEqual(meaning.tensors["mask"], Tensor([0.5, 1], shape: [1, 2]))
        XCTAssertEqual(meaning.tensors["raw"], raw)
        XCTAssertNil(meaning.detections)
        XCTAssertThrowsError(try Postprocess.outputs(["other": raw], facts))
        let rows = ["scores": Tensor([0, 0, 0, 0, 0, 0], shape: [2, 3])]
        XCTAssertThrowsError(try Postprocess.outputs(rows, facts))
    }

    func testBoxesThatDoNotFitTogetherAreRefused() throws {
        let spec = DetectionSpec(boxes: "b", scores: "s", classes: "c", count: "n")
        let outputs = [
            "b": Tensor([0, 0, 1, 1, 0.5, 0.5, 1, 1], shape: [1, 2, 4]), "s": Tensor([0.9, 0.8], shape: [1, 2]),
            "c": Tensor([1, 0], shape: [1, 2]), "n": Tensor(.ints([9]), shape: [1]),
        ]
        XCTAssertEqual(try Boxes.detect(outputs, spec, labels: ["a"]).map(\.label), [nil, "a"])
        let wrong = [
            "b": Tensor([0, 0, 1, 1, 0.5, 0.5, 1, 1], shape: [2, 1, 4]), "s": Tensor([0.9], shape: [1, 1]),
            "c": Tensor([1], shape: [1, 1]), "n": Tensor(.ints([]), shape: [0]),
        ]
        for (name, tensor) in wrong {
            XCTAssertThrowsError(try Boxes.detect(outputs.merging([name: tensor]) { $1 }, spec, labels: []), name)
            XCTAssertThrowsError(try Boxes.detect(outputs.filter { $0.key != name }, spec, labels: []), name)
        }
        let anchored = DetectionSpec(
            boxes: "b", scores: "s", form: .cxcywh,
            anchors: [AnchorGrid(rows: 1, columns: 1, sizes: [.init(height: 1, width: 1)])])
        XCTAssertThrowsError(try Boxes.detect(outputs, anchored, labels: []))
    }

    func testPercentilesAreOfTheLastCalls() {
        var latency = LatencyStatistics(capacity: 4)
        XCTAssertTrue(latency.percentile(50).isNaN)
        for milliseconds in [900, 4, 1, 3, 2] { latency.add(.milliseconds(milliseconds)) }
        XCTAssertEqual(latency.count, 4)
        XCTAssertEqual(latency.percentile(50), 2)
        XCTAssertEqual(latency.percentile(90), 4)
        XCTAssertEqual(latency.percentile(0.1), 1)
        latency.clear()
        XCTAssertEqual(latency.count, 0)
    }

    func testDamagedGoldenVectorsAreRefused() throws {
        func read(_ text: String) throws -> GoldenVectors { try GoldenVectors.read(Data(text.utf8)) }
        let head =
            #"{"format": "edge-golden", "format_version": "1.0", "tolerance": {"atol": 0, "rtol": 0}, "model": "#
        func tensor(_ data: String, type: String = "float32", shape: String = "[2]", stride: Int = 1) -> String {
            let tensor = #"{"dtype": "\#(type)", "shape": \#(shape), "stride": \#(stride), "data": "\#(data)"}"#
            return #"\#(head) [{"inputs": {"x": \#(tensor)}, "outputs": {}}], "steps": []}"#
        }
        for data in ["AAAA", "AAAAAAA=", "%%%%"] { XCTAssertThrowsError(try read(tensor(data)), data) }
        for shape in ["[-2, -1]", "[4294967296, 4294967296]", "[3]"] {
            XCTAssertThrowsError(try read(tensor("AAAAAAAAAAA=", shape: shape)), shape)
        }
        XCTAssertThrowsError(try read(tensor("AAAAAAAAAAA=", stride: 0)))
        XCTAssertThrowsError(try read(tensor("AAAAAAAAAAA=", type: "complex64")))
        XCTAssertThrowsError(try read(#"{"format": "edge-golden", "format_version": "2.0"}"#))
        for text in ["", "[]", "{"] { XCTAssertThrowsError(try read(text)) }
        let unknown = try read(#"\#(head) [], "steps": [{"step": "new"}, {"step": "quantize"}]}"#)
        let problems = GoldenCheck.steps(unknown, nil)
        XCTAssertEqual(problems.first, "step 0, new: unknown kind")
        XCTAssertEqual(problems.last?.hasPrefix("step 1, quantize: damaged"), true)
    }

    func testFloatsOfSixteenBitsAreRead() throws {
        // 1, -2, the largest, the smallest, minus zero, infinity, 0.1 nearly
        let halves: [UInt16] = [0x3C00, 0xC000, 0x7BFF, 0x0001, 0x8000, 0x7C00, 0x2E66]
        let data = halves.withUnsafeBytes { Data($0) }.base64EncodedString()
        let text = #"{"dtype": "float16", "shape": [7], "stride": 1, "data": "\#(data)"}"#
        let tensor = try JSONDecoder().decode(GoldenTensor.self, from: Data(text.utf8)).tensor()
        XCTAssertEqual(tensor, Tensor([1, -2, 65504, 0x1p-24, -0.0, .infinity, 0.099975586], shape: [7]))
    }

    func testRecordedOutputsAreComparedWithBothTolerances() async throws {
        func recorded(_ values: [Float]) throws -> GoldenTensor {
            let data = values.withUnsafeBytes { Data($0) }.base64EncodedString()
            let text = #"{"dtype": "float32", "shape": [\#(values.count)], "stride": 1, "data": "\#(data)"}"#
            return try JSONDecoder().decode(GoldenTensor.self, from: Data(text.utf8))
        }
        let item = GoldenCase(inputs: ["x": try recorded([1])], outputs: ["y": try recorded([100, 1, 0])])
        func problems(_ values: [Float]) -> [String] {
            let outputs = ["y": Tensor(values, shape: [values.count])]
            return GoldenCheck.compare(index: 0, item, outputs, atol: 0.5, rtol: 0.01)
        }
        XCTAssertEqual(problems([101.4, 1.5, -0.5]), [])
        XCTAssertEqual(
            problems([98, 1.75, .nan]),
            [
                "case 0, output y: 3 of 3 values are outside the tolerance; "
                    + "the worst, number 2, should be 0.0 and is nan"
            ])
        XCTAssertEqual(problems([1]), ["case 0, output y: expected 3 values, got 1"])
        XCTAssertEqual(
            GoldenCheck.compare(index: 4, item, [:], atol: 0, rtol: 0), ["case 4, output y: missing"])
        let vectors = GoldenVectors(atol: 0.5, rtol: 0.01, cases: [item], steps: [])
        let lines = try await GoldenCheck.cases(vectors) { inputs in
            ["y": Tensor(inputs["x"].map { [$0.toFloats()[0] * 100, 1, 0] } ?? [], shape: [3])]
        }
        XCTAssertEqual(lines, [])
    }
}
