"""tests/interop/metrics_test.py: metrics.json is what scikit-learn makes of predictions.csv, and the other tables of a
run are what their columns say."""

import pathlib
import re
import unittest

import keras
import numpy as np
from sklearn import metrics

from training_run import confusion_matrix, CLASSES, DATASET, EPOCHS, LEARNING_RATE, OUT, predictions, read_csv, read_json


def expected_calibration_error(labels, probabilities, bins=15):
    """Guo et al., arXiv 1706.04599, equation 3, over equal bins (lower, upper] of the predicted class's probability."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return sum(np.mean(bin_of == b) * abs(correct[bin_of == b].mean() - confidence[bin_of == b].mean())
               for b in range(bins) if np.any(bin_of == b))


class MetricsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.paths, cls.labels, cls.predicted, cls.probabilities = predictions()
        cls.reported = read_json("metrics.json")

    def test_validation_metrics_are_scikit_learns(self):
        reported = self.reported["validation"]
        every_class = list(range(len(CLASSES)))
        self.assertGreaterEqual(len(self.labels), 12)
        self.assertAlmostEqual(reported["accuracy"], metrics.accuracy_score(self.labels, self.predicted), places=9)
        self.assertAlmostEqual(reported["top5_accuracy"], metrics.top_k_accuracy_score(
            self.labels, self.probabilities, k=5, labels=every_class), places=9)
        self.assertAlmostEqual(reported["macro_f1"], metrics.f1_score(
            self.labels, self.predicted, average="macro", zero_division=0), places=9)
        self.assertAlmostEqual(reported["balanced_accuracy"], metrics.balanced_accuracy_score(
            self.labels, self.predicted), places=9)
        np.testing.assert_array_equal(confusion_matrix(reported, len(CLASSES)), metrics.confusion_matrix(
            self.labels, self.predicted, labels=every_class))
        self.assertEqual(self.reported["format_version"], 2)
        self.assertTrue(all(reported["confusion"]["images"]), "pairs without images are left out")

    def test_metrics_of_each_class_are_scikit_learns(self):
        columns = metrics.precision_recall_fscore_support(
            self.labels, self.predicted, labels=list(range(len(CLASSES))), zero_division=0)
        per_class = self.reported["validation"]["per_class"]
        self.assertEqual([row["class"] for row in per_class], CLASSES)
        for name, column in zip(("precision", "recall", "f1", "support"), columns):
            np.testing.assert_allclose([row[name] for row in per_class], column, rtol=0, atol=1e-9)

    def test_the_calibration_error_is_guos(self):
        self.assertAlmostEqual(self.reported["validation"]["expected_calibration_error"],
                               expected_calibration_error(self.labels, self.probabilities), places=6)

    def test_the_loss_is_the_cross_entropy_and_the_penalty(self):
        reported = self.reported["validation"]
        self.assertAlmostEqual(reported["cross_entropy"], metrics.log_loss(
            self.labels, self.probabilities.astype(np.float64), labels=list(range(len(CLASSES)))), places=5)
        self.assertGreater(reported["loss"], reported["cross_entropy"])

    def test_predictions_name_the_largest_probability(self):
        np.testing.assert_array_equal(self.predicted, self.probabilities.argmax(axis=1))
        np.testing.assert_allclose(self.probabilities.sum(axis=1), 1, atol=1e-5)
        named = np.array([float(row["probability"]) for row in read_csv("predictions.csv")])
        np.testing.assert_array_equal(named, self.probabilities.max(axis=1))

    def test_labels_are_the_folders_the_images_lie_in(self):
        self.assertEqual([pathlib.PurePath(path).parent.name for path in self.paths],
                         [CLASSES[label] for label in self.labels])

    def test_class_indices_are_keras_class_names(self):
        names = keras.utils.image_dataset_from_directory(str(DATASET), verbose=False).class_names
        self.assertEqual(read_json("class_indices.json"), {name: i for i, name in enumerate(names)})
        self.assertEqual(self.reported["classes"], names)

    def test_history_has_csv_loggers_columns_and_every_epoch(self):
        rows = read_csv("history.csv")
        self.assertEqual(list(rows[0]),
                         ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"])
        self.assertEqual([int(row["epoch"]) for row in rows], list(range(1, EPOCHS + 1)))
        for row in rows:
            self.assertAlmostEqual(float(row["learning_rate"]), LEARNING_RATE, places=9)
            self.assertTrue(np.isfinite([float(value) for value in row.values()]).all())
        self.assertAlmostEqual(float(rows[-1]["val_loss"]), self.reported["validation"]["loss"], places=5)
        self.assertAlmostEqual(float(rows[-1]["val_accuracy"]), self.reported["validation"]["accuracy"], places=9)

    def test_images_and_predictions_tell_of_the_same_validation_rows(self):
        rows = read_csv("images.csv")
        self.assertEqual(len(rows), self.reported["images"]["total"])
        self.assertEqual(sorted(row["path"] for row in rows if row["split"] == "validation"), sorted(self.paths))
        self.assertEqual({row["status"] for row in rows}, {"used"})

    def test_the_report_stands_alone(self):
        report = (OUT / "report.html").read_text(encoding="utf-8")
        for name in CLASSES:
            self.assertIn(name, report)
        self.assertEqual([link for link in re.findall(r'(?:src|href)="([^"]*)"', report)
                          if not link.startswith(("data:", "#"))], [])


if __name__ == "__main__":
    unittest.main()
