"""`chainrule generate` from the outside: seeds, ranks, streaming, and the ends of a sample."""
import json
import os
import re
import shutil
import subprocess
import unittest

from program import MPIRUN, MPIRUN_FLAGS, PROGRAM, chainrule
from terminal import at_terminal
from text_model import TextModelTest


class Generate(TextModelTest):
    def lines(self, *arguments, **more):
        return [json.loads(line) for line in self.run_command("generate", "--json", *arguments, **more).out.splitlines()]

    def prompts(self, texts):
        path = self.folder / "prompts.jsonl"
        path.write_text("".join(json.dumps({"prompt": text, "id": f"p{i}"}) + "\n" for i, text in enumerate(texts)),
                        encoding="utf-8")
        return path

    def test_the_same_bytes_on_any_number_of_ranks(self):
        path = self.prompts(["the cat", "", "a dog ran from", "my sister", "the café", "the old man painted"] * 2)
        arguments = ["--prompts", path, "--samples", 2, "--max-tokens", 12, "--batch", 5, "--top-p", 0.95]
        first = None
        for ranks in (None, 1, 2, 3, 4, 7):
            done = self.run_command("generate", *arguments, ranks=ranks)
            first = first or done.out
            self.assertEqual(done.out, first, ranks)
        lines = [json.loads(line) for line in first.splitlines()]
        self.assertEqual([(line["prompt_index"], line["sample"]) for line in lines],
                         [(prompt, sample) for prompt in range(12) for sample in range(2)])
        self.assertEqual(lines[5]["id"], "p2")
        self.assertEqual(lines[5]["prompt"], "a dog ran from")
        self.assertGreater(len({line["text"] for line in lines}), 6)

    def test_every_rank_reads_the_first_ranks_checkpoint(self):
        """Rank 0 sees a run that has come less far: a stand-in for a checkpoint that is written between two looks."""
        path = self.prompts(["the cat", "a dog", "my sister", "the old man"])
        for place, steps in (("first", ["step-00000030"]), ("others", ["step-00000030", "step-00000060"])):
            for step in steps:
                shutil.copytree(self.run_directory / "checkpoints" / step,
                                self.folder / place / "run" / "checkpoints" / step)
        arguments = ["generate", "--model", "run", "--prompts", str(path), "--batch", "1", "--max-tokens", "8"]
        alone = subprocess.run([PROGRAM, *arguments], capture_output=True, check=True, cwd=self.folder / "first")
        in_its_place = 'cd "$0/$([ "$OMPI_COMM_WORLD_RANK" = 0 ] && echo first || echo others)" && exec "$@"'
        together = subprocess.run([MPIRUN, *MPIRUN_FLAGS, "-n", "3", "sh", "-c", in_its_place,
                                   self.folder, PROGRAM, *arguments], capture_output=True, check=True)
        self.assertEqual(together.stdout, alone.stdout)

    def test_the_same_seed_gives_the_same_text(self):
        one = self.run_command("generate", "--prompt", "the", "--seed", 5).out
        self.assertEqual(self.run_command("generate", "--prompt", "the", "--seed", 5).out, one)
        self.assertNotEqual(self.run_command("generate", "--prompt", "the", "--seed", 6).out, one)

    def test_greedy_is_the_argmax_of_next(self):
        line = self.lines("--prompt", "the cat", "--temperature", 0, "--max-tokens", 8)[0]
        text = "the cat"
        for token in line["token_ids"]:
            following = json.loads(self.run_command("next", "--json", "--top", 2, "--text", text).out)["tokens"]
            if following[0]["probability"] - following[1]["probability"] < 1e-4:
                break
            self.assertEqual(token, following[0]["token_id"])
            text += following[0]["text"]

    def test_the_models_probability_of_a_sample(self):
        for line in self.lines("--prompt", "a dog", "--max-tokens", 10, "--samples", 3, "--temperature", 0.5):
            if line["finish"] != "length" or "\ufffd" in line["text"]:
                continue
            score = json.loads(self.run_command("score", "--json", "--text", "a dog" + line["text"]).out)
            ids = [token["token_id"] for token in score["tokens"]]
            if ids[-len(line["token_ids"]):] != line["token_ids"]:
                continue  # sampled in pieces that the tokenizer would not choose
            nats = sum(token["nll_nats"] for token in score["tokens"][-len(line["token_ids"]):])
            self.assertAlmostEqual(line["nll_nats"], nats, 4)

    def test_text_and_json_say_the_same(self):
        lines = self.lines("--prompt", "my", "--samples", 3, "--max-tokens", 9)
        out = self.run_command("generate", "--prompt", "my", "--samples", 3, "--max-tokens", 9).out
        self.assertEqual(out, "".join(f"--- sample {i + 1} of 3 ---\n{line['text']}\n" for i, line in enumerate(lines)))

    def test_text_comes_as_it_is_sampled(self):
        process = subprocess.Popen([PROGRAM, "generate", "--model", self.run_directory, "--prompt", "the", "--slide",
                                    "--max-tokens", "20000", "--temperature", "0.8", "--threads", "1"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            self.assertTrue(os.read(process.stdout.fileno(), 1))
            self.assertIsNone(process.poll(), "it was printed before the end")
        finally:
            process.kill()
            process.stdout.close()
            process.wait()

    def test_stop_texts(self):
        free = self.lines("--prompt", "the cat", "--max-tokens", 40, "--temperature", 0)[0]
        self.assertIn(".", free["text"])
        line = self.lines("--prompt", "the cat", "--max-tokens", 40, "--temperature", 0, "--stop", "@@", "--stop", ".")[0]
        self.assertEqual(line["text"], free["text"].split(".")[0])
        self.assertEqual(line["finish"], "stop")

    def test_max_tokens_and_the_room_there_is(self):
        line = self.lines("--prompt", "the cat", "--max-tokens", 3)[0]
        self.assertLessEqual(len(line["token_ids"]), 3)
        long_prompt = "the old man painted every house. " * 4
        self.assertLessEqual(len(self.lines("--prompt", long_prompt)[0]["token_ids"]), 64)
        self.expect_failure(64, ["the prompt", "context of 64", "--slide"], "generate", "--prompt", long_prompt,
                            "--max-tokens", 64)
        done = self.run_command("generate", "--json", "--prompt", long_prompt, "--max-tokens", 150, "--slide",
                                "--temperature", 0)
        self.assertIn("was let go", done.err)
        self.assertGreater(json.loads(done.out)["slides"], 0)

    def test_slides_of_all_ranks_are_told_once(self):
        path = self.prompts(["the cat", "a dog", "my sister"])
        done = self.run_command("generate", "--prompts", path, "--batch", 1, "--slide", "--max-tokens", 150, "--temperature", 0,
                                ranks=3)
        slid = sum(json.loads(line)["slides"] > 0 for line in done.out.splitlines())
        self.assertGreater(slid, 1)
        self.assertEqual(done.err.count("let go"), 1)
        self.assertIn(f"{slid} of 3 samples", done.err)

    def test_prompts_from_standard_input(self):
        path = self.prompts(["the cat", "a dog"])
        from_file = self.run_command("generate", "--prompts", path, "--max-tokens", 4).out
        for ranks in (None, 2):
            self.assertEqual(self.run_command("generate", "--prompts", "-", "--max-tokens", 4, ranks=ranks,
                                              input=path.read_bytes()).out, from_file)

    def test_the_command_line_wins_over_a_file(self):
        file = self.folder / "options"
        file.write_text("prompt = a dog\nmax-tokens = 4\n")
        path = self.prompts(["the cat"])
        self.assertEqual(self.run_command("generate", "--config", file, "--prompts", path).out,
                         self.run_command("generate", "--prompts", path, "--max-tokens", 4).out)

    def test_an_empty_prompt_in_one_word(self):
        self.assertEqual(self.run_command("generate", "--prompt=").out, self.run_command("generate").out)

    def test_a_sample_that_ends_inside_a_character(self):
        """The tokenizer splits é, and a sample of one token from behind its first half is the second half alone."""
        seed, text = next((seed, line["text"]) for seed in range(200)
                          for line in self.lines("--prompt", "the caf", "--max-tokens", 1, "--seed", seed)
                          if "\ufffd" in line["text"])
        done = self.run_command("generate", "--prompt", "the caf", "--max-tokens", 1, "--seed", seed)
        self.assertEqual(done.stdout, (text + "\n").encode())

    def test_control_characters_reach_no_terminal(self):
        arguments = ["generate", "--model", self.run_directory, "--samples", 40, "--max-tokens", 60, "--temperature", 3,
                     "--seed", 1]
        raw = chainrule(*arguments, check=0).stdout
        self.assertTrue(re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", raw), "the test needs some")
        code, shown = at_terminal(*arguments)
        self.assertEqual(code, 0)
        self.assertFalse(re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", shown))

    def test_filters_leave_the_likeliest(self):
        greedy = self.lines("--prompt", "a", "--temperature", 0, "--max-tokens", 10)[0]
        for filter_ in (["--top-k", 1], ["--top-p", 1e-9], ["--min-p", 1]):
            self.assertEqual(self.lines("--prompt", "a", *filter_, "--max-tokens", 10)[0]["token_ids"],
                             greedy["token_ids"], filter_)
        penalised = self.lines("--prompt", "a", "--temperature", 0, "--repetition-penalty", 50, "--max-tokens", 10)[0]
        self.assertEqual(len(set(penalised["token_ids"])), len(penalised["token_ids"]))


if __name__ == "__main__":
    unittest.main()
